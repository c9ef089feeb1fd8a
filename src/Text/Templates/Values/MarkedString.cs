namespace Serving.Text.Templates.Values;

/// <summary>
/// A string that knows which of its characters the template wrote (trusted) and which came from the input. Most strings are wholly one
/// or the other and carry a flag only; a mixed one carries its trusted ranges, ascending, disjoint and merged.
/// </summary>
internal sealed class MarkedString : IEquatable<MarkedString>
{
    public static readonly MarkedString Empty = new(string.Empty, trusted: false);

    private readonly TextRange[]? _mixed;
    private int _codePointCount = -1;

    public MarkedString(string text, bool trusted)
    {
        Text = text;
        IsTrusted = trusted;
    }

    public MarkedString(string text, TextRange[] trustedRanges)
    {
        Text = text;
        if (trustedRanges.Length == 1 && trustedRanges[0].Length == text.Length)
        {
            IsTrusted = true;
        }
        else if (trustedRanges.Length > 0)
        {
            _mixed = trustedRanges;
        }
    }

    public string Text { get; }

    /// <summary>Whether every character is trusted.</summary>
    public bool IsTrusted { get; }

    /// <summary>In UTF-16 units; Python's length is <see cref="CodePointCount"/>.</summary>
    public int Length => Text.Length;

    public int CodePointCount => _codePointCount >= 0 ? _codePointCount : _codePointCount = CountCodePoints(Text);

    /// <summary>The trusted ranges of a string that is neither wholly trusted nor wholly untrusted; empty for those.</summary>
    public ReadOnlySpan<TextRange> MixedRanges => _mixed;

    private ReadOnlySpan<TextRange> TrustedRanges => IsTrusted && Length > 0 ? [new TextRange(0, Length)] : _mixed;

    /// <summary>One after the other, each with its marks. Templates build a prompt so, piece by piece.</summary>
    public static MarkedString Concat(MarkedString left, MarkedString right)
    {
        ReadOnlySpan<TextRange> before = left.TrustedRanges;
        ReadOnlySpan<TextRange> after = right.TrustedRanges;
        int shared = before.Length > 0 && after.Length > 0 && before[^1].End == left.Length && after[0].Start == 0 ? 1 : 0;
        TextRange[] ranges = new TextRange[before.Length + after.Length - shared];
        for (int i = 0; i < after.Length; i++)
        {
            ranges[before.Length - shared + i] = new TextRange(left.Length + after[i].Start, after[i].Length);
        }

        before.CopyTo(ranges);
        if (shared > 0)
        {
            TextRange last = before[^1];
            ranges[before.Length - 1] = new TextRange(last.Start, last.Length + after[0].Length);
        }

        return new MarkedString(string.Concat(left.Text, right.Text), ranges);
    }

    /// <summary>A part, in UTF-16 units.</summary>
    public MarkedString Slice(int start, int length)
    {
        if (length == Text.Length)
        {
            return this;
        }

        string part = Text.Substring(start, length);
        if (_mixed is null)
        {
            return new MarkedString(part, IsTrusted);
        }

        var ranges = new List<TextRange>();
        foreach (TextRange range in _mixed)
        {
            int from = Math.Max(range.Start, start);
            int to = Math.Min(range.End, start + length);
            if (from < to)
            {
                ranges.Add(new TextRange(from - start, to - from));
            }
        }

        return new MarkedString(part, [.. ranges]);
    }

    /// <summary>Whether the character at <paramref name="index"/> (in UTF-16 units) is trusted.</summary>
    public bool IsTrustedAt(int index)
    {
        if (_mixed is null)
        {
            return IsTrusted;
        }

        int low = 0;
        int high = _mixed.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (index < _mixed[middle].Start)
            {
                high = middle - 1;
            }
            else if (index >= _mixed[middle].End)
            {
                low = middle + 1;
            }
            else
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The UTF-16 offset of a code point; <paramref name="codePoint"/> may be the count, which gives the length.</summary>
    public int OffsetOf(int codePoint)
    {
        if (CodePointCount == Text.Length)
        {
            return codePoint;
        }

        int offset = 0;
        for (int i = 0; i < codePoint; i++)
        {
            offset += char.IsHighSurrogate(Text[offset]) && offset + 1 < Text.Length ? 2 : 1;
        }

        return offset;
    }

    /// <summary>The number of code points before a UTF-16 offset.</summary>
    public int CodePointAt(int offset) => CodePointCount == Text.Length ? offset : CountCodePoints(Text.AsSpan(0, offset));

    public bool Equals(MarkedString? other) => other is not null && Text == other.Text;

    public override bool Equals(object? obj) => Equals(obj as MarkedString);

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Text;

    private static int CountCodePoints(ReadOnlySpan<char> text)
    {
        int first = text.IndexOfAnyInRange('\uD800', '\uDBFF');
        if (first < 0)
        {
            return text.Length;
        }

        int count = text.Length;
        for (int i = first; i + 1 < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && char.IsLowSurrogate(text[i + 1]))
            {
                count--;
                i++;
            }
        }

        return count;
    }
}
