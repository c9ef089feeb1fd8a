using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Serving.Cli.Up;

namespace Serving.Cli.Commands;

/// <summary>What the commands' options have in common.</summary>
internal static class CommandOptions
{
    /// <summary>The variable that spares a key the command line, which other users of the machine can read.</summary>
    public const string ApiKeyVariable = "SERVING_API_KEY";

    public static string? ApiKeyFromEnvironment() =>
        Environment.GetEnvironmentVariable(ApiKeyVariable) is { Length: > 0 } key ? key : null;

    public static Option<string> DataFolder() => new("--data")
    {
        Description = "Folder for everything that is written: secret, state, logs",
        HelpName = "DIR",
        DefaultValueFactory = _ => PlatformSettings.DefaultDataFolder,
    };

    public static void AddTo(Command command, IEnumerable<Option> options)
    {
        foreach (var option in options)
        {
            command.Options.Add(option);
        }
    }

    public static void CheckRange<T>(OptionResult result, Option<T> option, double min, double max)
    {
        if (!result.Errors.Any() && result.GetValue(option) is IConvertible value && value.ToDouble(CultureInfo.InvariantCulture) is var number && !(number >= min && number <= max))
        {
            result.AddError($"{option.Name} {result.Tokens[^1].Value} is out of range: give {min} to {max}.");
        }
    }

    public static void Check<T>(OptionResult result, Option<T> option, Predicate<T> isValid, string complaint)
    {
        if (!result.Errors.Any() && result.GetValue(option) is { } value && !isValid(value))
        {
            result.AddError($"{option.Name} {string.Join(' ', result.Tokens)} {complaint}.");
        }
    }
}
