using System.Numerics;
using System.Runtime.InteropServices;

namespace Serving.Grammars.Matching;

/// <summary>A set of token ids: a list while it is short, bits otherwise.</summary>
internal sealed class TokenSet
{
    private const int BitsPerWord = 64;

    private readonly int[] _ids;
    private readonly ulong[]? _bits;

    /// <param name="bits">One a token; copied.</param>
    /// <param name="count">How many of them are set.</param>
    public TokenSet(ReadOnlySpan<ulong> bits, int count)
    {
        // As many bytes either way; reading bits is then the quicker one.
        if (count * 2 >= bits.Length)
        {
            _ids = [];
            _bits = bits.ToArray();
            return;
        }

        _ids = new int[count];
        for (var (word, found) = (0, 0); found < count; word++)
        {
            for (var left = bits[word]; left != 0; left &= left - 1)
            {
                _ids[found++] = (word * BitsPerWord) + BitOperations.TrailingZeroCount(left);
            }
        }
    }

    public static TokenSet Empty { get; } = new([], 0);

    /// <summary>Words of a mask.</summary>
    public static int WordCount(int vocabularySize) => (vocabularySize + BitsPerWord - 1) / BitsPerWord;

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
}
