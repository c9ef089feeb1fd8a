using Serving.Text.Tokenization.PreTokenizers;

namespace Serving.Text.Tokenization.Json;

/// <summary>Reads a <c>{"String": …}</c> or <c>{"Regex": …}</c> pattern.</summary>
internal static class PatternReader
{
    public static ISplitPattern Read(JsonFields fields)
    {
        string? literal = fields.OptionalString("String");
        string? regex = fields.OptionalString("Regex");
        fields.End();
        if (literal is { Length: > 0 } && regex is null)
        {
            return new LiteralPattern(literal);
        }

        return literal is null && regex is { Length: > 0 }
            ? FromRegex(regex, fields.PathOf("Regex"))
            : throw new TokenizerFormatException(fields.Path, "must hold either a String or a Regex, and not an empty one.");
    }

    public static ISplitPattern FromRegex(string regex, string field) =>
        ScannerPattern.TryCreate(regex) ?? (ISplitPattern)RegexPattern.Create(regex, field);
}
