using System.Text.RegularExpressions;
using Serving.Cli.Models;

namespace Serving.Cli.Hub;

/// <summary>What to fetch: <c>OWNER/NAME[:FILE]</c> and a revision.</summary>
/// <param name="Repository"><c>OWNER/NAME</c>.</param>
/// <param name="File">A GGUF file's path or name, a pattern with <c>*</c> and <c>?</c>, or a quantisation such as <c>Q4_K_M</c>; null: what the repository has.</param>
/// <param name="Revision">Branch, tag or commit.</param>
internal sealed partial record ModelReference(string Repository, string? File, string Revision)
{
    /// <exception cref="ModelException">It is not of that form.</exception>
    public static ModelReference Parse(string text, string revision)
    {
        var match = Form().Match(text);
        if (!match.Success || match.Groups["repository"].Value.Contains("..", StringComparison.Ordinal))
        {
            throw new ModelException($"'{text}' is not OWNER/NAME or OWNER/NAME:FILE, such as Qwen/Qwen3-0.6B or ggml-org/Qwen3-0.6B-GGUF:Q8_0.");
        }

        if (string.IsNullOrWhiteSpace(revision) || revision.Any(char.IsControl) || revision.Contains("..", StringComparison.Ordinal))
        {
            throw new ModelException("--revision names no branch, tag or commit.");
        }

        return new ModelReference(match.Groups["repository"].Value, match.Groups["file"] is { Success: true } file ? file.Value : null, revision);
    }

    [GeneratedRegex(@"^(?<repository>[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9_][A-Za-z0-9_.-]{0,95})(:(?<file>[^:\p{Cc}]{1,512}))?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
