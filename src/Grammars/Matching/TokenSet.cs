using System.Numerics;
using System.Runtime.InteropServices;

namespace Serving.Grammars.Matching;

/// <summary>A set of token ids: a list while it is short, bits otherwise.</summary>
internal sealed class TokenSet
{
    private const int BitsPerWord = 64;

    private readonly int[] _ids;
    private readonly ulong[]? _bits;

    private TokenSet(int[] ids, ulong[]? bits)
    {
        _ids = ids;
        _bits = bits;
    }

    public static TokenSet Empty { get; } = new([], null);

    public int Bytes => (_ids.Length * sizeof(int)) + ((_bits?.Length ?? 0) * sizeof(ulong));

    /// <summary>Words of a mask.</summary>
    public static int WordCount(int vocabularySize) => (vocabularySize + BitsPerWord - 1) / BitsPerWord;

    /// <param name="bits">One a token; copied.</param>
    public static TokenSet Of(ReadOnlySpan<ulong> bits)
    {
        var count = 0;
        foreach (var word in bits)
        {
            count += BitOperations.PopCount(word);
        }

        // As many bytes either way; reading bits is then the quicker one.
        return count == 0 ? Empty : count * 2 >= bits.Length ? new TokenSet([], bits.ToArray()) : new TokenSet(IdsOf(bits, count), null);
    }

    /// <summary>Adds the set to a mask of at least as many words as the vocabulary has.</summary>
    public void AddTo(Span<ulong> mask)
    {
        if (_bits is not null)
        {
            var vectors = MemoryMarshal.Cast<ulong, Vector<ulong>>(mask[.._bits.Length]);
            var added = MemoryMarshal.Cast<ulong, Vector<ulong>>(_bits);
            for (var i = 0; i < vectors.Length; i++)
            {
                vectors[i] |= added[i];
            }

            for (var i = vectors.Length * Vector<ulong>.Count; i < _bits.Length; i++)
            {
                mask[i] |= _bits[i];
            }
        }

        foreach (var id in _ids)
        {
            mask[id / BitsPerWord] |= 1UL << id;
        }
    }

    private static int[] IdsOf(ReadOnlySpan<ulong> bits, int count)
    {
        var ids = new int[count];
        for (var (word, found) = (0, 0); found < count; word++)
        {
            for (var left = bits[word]; left != 0; left &= left - 1)
            {
                ids[found++] = (word * BitsPerWord) + BitOperations.TrailingZeroCount(left);
            }
        }

        return ids;
    }
}
