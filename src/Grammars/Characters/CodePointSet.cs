namespace Serving.Grammars.Characters;

/// <summary>A set of Unicode scalar values, as sorted ranges that do not touch.</summary>
internal sealed class CodePointSet
{
    private readonly (int First, int Last)[] _ranges;

    private CodePointSet((int First, int Last)[] ranges) => _ranges = ranges;

    public const int Last = 0x10FFFF;

    public static CodePointSet Empty { get; } = new([]);

    /// <summary>Every scalar value: all code points but surrogates.</summary>
    public static CodePointSet All { get; } = new([(0, 0xD7FF), (0xE000, Last)]);

    public IReadOnlyList<(int First, int Last)> Ranges => _ranges;

    public bool IsEmpty => _ranges.Length == 0;

    public static CodePointSet Of(int codePoint) => Of([(codePoint, codePoint)]);

    /// <summary>The union of ranges in any order. Surrogates are left out.</summary>
    public static CodePointSet Of(IEnumerable<(int First, int Last)> ranges)
    {
        var merged = new List<(int First, int Last)>();
        foreach (var range in ranges.SelectMany(WithoutSurrogates).OrderBy(range => range.First))
        {
            if (merged.Count > 0 && range.First <= merged[^1].Last + 1)
            {
                merged[^1] = (merged[^1].First, Math.Max(merged[^1].Last, range.Last));
            }
            else
            {
                merged.Add(range);
            }
        }

        return new CodePointSet([.. merged]);
    }

    public static CodePointSet OfAny(string characters) => Of(characters.EnumerateRunes().Select(rune => (rune.Value, rune.Value)));

    public bool Contains(int codePoint) => _ranges.Any(range => range.First <= codePoint && codePoint <= range.Last);

    public CodePointSet Union(CodePointSet other) => Of(_ranges.Concat(other._ranges));

    public CodePointSet Complement()
    {
        var rest = new List<(int, int)>();
        var next = 0;
        foreach (var (first, last) in _ranges)
        {
            if (first > next)
            {
                rest.Add((next, first - 1));
            }

            next = last + 1;
        }

        if (next <= Last)
        {
            rest.Add((next, Last));
        }

        return Of(rest);
    }

    public CodePointSet Except(CodePointSet other) => Intersect(other.Complement());

    public CodePointSet Intersect(CodePointSet other)
    {
        var common = new List<(int, int)>();
        for (var (i, j) = (0, 0); i < _ranges.Length && j < other._ranges.Length;)
        {
            var first = Math.Max(_ranges[i].First, other._ranges[j].First);
            var last = Math.Min(_ranges[i].Last, other._ranges[j].Last);
            if (first <= last)
            {
                common.Add((first, last));
            }

            if (_ranges[i].Last < other._ranges[j].Last)
            {
                i++;
            }
            else
            {
                j++;
            }
        }

        return new CodePointSet([.. common]);
    }

    private static IEnumerable<(int First, int Last)> WithoutSurrogates((int First, int Last) range)
    {
        const int surrogateFirst = 0xD800;
        const int surrogateLast = 0xDFFF;
        if (range.First < surrogateFirst)
        {
            yield return (range.First, Math.Min(range.Last, surrogateFirst - 1));
        }

        if (range.Last > surrogateLast)
        {
            yield return (Math.Max(range.First, surrogateLast + 1), range.Last);
        }
    }
}
