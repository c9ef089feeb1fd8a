using System.Text.RegularExpressions;

namespace Serving.Cli.Models;

/// <summary>Names of models: they are also names of folders, so they are plain.</summary>
internal static partial class ModelName
{
    public const string Rule = "use up to 128 letters, digits, '.', '_' and '-', the first one a letter or digit";

    public static bool IsValid(string name) => name.Length <= 128 && Form().IsMatch(name) && name != UpKeyword;

    /// <summary>What <c>--model</c> takes for every model of the repository.</summary>
    public const string UpKeyword = "all";

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
