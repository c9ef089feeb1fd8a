using System.Text;

namespace Serving.Grammars.Characters;

/// <summary>
/// Ranges of scalar values as sequences of byte ranges: a range is cut until its first and its last encoding differ in trailing bytes that
/// run through all their values (Ken Thompson's construction, as in RE2's and Go's regexp compilers).
/// </summary>
internal static class Utf8Ranges
{
    private static readonly int[] _lengthLasts = [0x7F, 0x7FF, 0xFFFF];

    /// <summary>The byte sequences, each a list of byte ranges.</summary>
    public static IEnumerable<(byte First, byte Last)[]> Of(CodePointSet set) => set.Ranges.SelectMany(range => Split(range.First, range.Last));

    private static IEnumerable<(byte First, byte Last)[]> Split(int first, int last)
    {
        foreach (var border in _lengthLasts)
        {
            if (first <= border && border < last)
            {
                return [.. Split(first, border), .. Split(border + 1, last)];
            }
        }

        for (var trailing = 1; trailing <= 3 && last > _lengthLasts[0]; trailing++)
        {
            var mask = (1 << (6 * trailing)) - 1;
            if ((first & ~mask) == (last & ~mask))
            {
                break;
            }

            if ((first & mask) != 0)
            {
                return [.. Split(first, first | mask), .. Split((first | mask) + 1, last)];
            }

            if ((last & mask) != mask)
            {
                return [.. Split(first, (last & ~mask) - 1), .. Split(last & ~mask, last)];
            }
        }

        return [Zip(first, last)];
    }

    private static (byte First, byte Last)[] Zip(int first, int last)
    {
        Span<byte> low = stackalloc byte[4];
        Span<byte> high = stackalloc byte[4];
        var length = new Rune(first).EncodeToUtf8(low);
        new Rune(last).EncodeToUtf8(high);
        var ranges = new (byte, byte)[length];
        for (var i = 0; i < length; i++)
        {
            ranges[i] = (low[i], high[i]);
        }

        return ranges;
    }
}
