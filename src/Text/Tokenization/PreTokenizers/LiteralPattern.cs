namespace Serving.Text.Tokenization.PreTokenizers;

/// <summary>Matches one string, exactly.</summary>
internal sealed class LiteralPattern(string literal) : ISplitPattern
{
    public bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        int at = text[from..].IndexOf(literal, StringComparison.Ordinal);
        (start, end) = (from + at, from + at + literal.Length);
        return at >= 0;
    }
}
