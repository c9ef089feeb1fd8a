using System.Buffers;
using System.Text;

namespace Serving.Text.Tokenization.Models;

/// <summary>
/// Byte-pair encoding by ranked merges (Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units"), over the bytes of
/// a piece (GPT-2 and after) or over its characters with a fall-back to bytes (SentencePiece vocabularies converted to merges).
/// </summary>
internal sealed class BpeModel : ITokenModel
{
    private readonly BpeVocabulary _vocabulary;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _idsByText;
    private readonly CharacterPairs? _pairs;
    private readonly WordCache _cache = new();

    public BpeModel(BpeVocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        _idsByText = vocabulary.IdsByText.GetAlternateLookup<ReadOnlySpan<char>>();
        _pairs = vocabulary.FindSeparablePairs();
    }

    public void Encode(ReadOnlySpan<char> piece, List<int> output)
    {
        while (_pairs is not null && !piece.IsEmpty)
        {
            int length = _pairs.FirstPartLength(piece);
            EncodePart(piece[..length], output);
            piece = piece[length..];
        }

        if (!piece.IsEmpty)
        {
            EncodePart(piece, output);
        }
    }

    private void EncodePart(ReadOnlySpan<char> part, List<int> output)
    {
        bool cacheable = part.Length <= WordCache.WordLengthMax;
        if (cacheable && _cache.TryAppend(part, output))
        {
            return;
        }

        int from = output.Count;
        if (!_vocabulary.IgnoreMerges || !TryWholeWord(part, output))
        {
            Merge(part, output);
        }

        if (cacheable)
        {
            _cache.Add(part, output, from);
        }
    }

    private bool TryWholeWord(ReadOnlySpan<char> part, List<int> output)
    {
        char[]? mapped = null;
        if (_vocabulary.ByteLevel)
        {
            byte[] bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(part.Length));
            int count = Encoding.UTF8.GetBytes(part, bytes);
            mapped = ArrayPool<char>.Shared.Rent(count);
            for (int i = 0; i < count; i++)
            {
                mapped[i] = ByteAlphabet.Character(bytes[i]);
            }

            ArrayPool<byte>.Shared.Return(bytes);
            part = mapped.AsSpan(0, count);
        }

        bool found = _idsByText.TryGetValue(part, out int id);
        if (found)
        {
            output.Add(id);
        }

        if (mapped is not null)
        {
            ArrayPool<char>.Shared.Return(mapped);
        }

        return found;
    }

    private void Merge(ReadOnlySpan<char> part, List<int> output)
    {
        SymbolMerger merger = SymbolMerger.Rent();
        if (_vocabulary.ByteLevel)
        {
            AddBytes(part, merger);
        }
        else
        {
            AddCharacters(part, merger);
        }

        merger.Merge(new RankRule(_vocabulary.Merges), part.Length);
        for (int symbol = merger.First; symbol >= 0; symbol = merger.Next(symbol))
        {
            output.Add(merger.Id(symbol));
        }

        merger.Return();
    }

    private void AddBytes(ReadOnlySpan<char> part, SymbolMerger merger)
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(part.Length));
        int count = Encoding.UTF8.GetBytes(part, bytes);
        bool afterUnknown = false;
        for (int i = 0; i < count; i++)
        {
            int id = _vocabulary.ByteIds[bytes[i]];
            if (id >= 0)
            {
                merger.Add(id, 0);
                afterUnknown = false;
            }
            else
            {
                AddUnknown(merger, ref afterUnknown);
            }
        }

        ArrayPool<byte>.Shared.Return(bytes);
    }

    private void AddCharacters(ReadOnlySpan<char> part, SymbolMerger merger)
    {
        bool afterUnknown = false;
        for (int i = 0; i < part.Length;)
        {
            Rune.DecodeFromUtf16(part[i..], out Rune rune, out int length);
            if (_vocabulary.TryFindCharacter(_idsByText, part.Slice(i, length), i == 0, i + length == part.Length, out int id))
            {
                merger.Add(id, 0);
                afterUnknown = false;
            }
            else if (!TryAddAsBytes(rune, merger))
            {
                AddUnknown(merger, ref afterUnknown);
            }

            i += length;
        }
    }

    private bool TryAddAsBytes(Rune rune, SymbolMerger merger)
    {
        Span<byte> utf8 = stackalloc byte[4];
        utf8 = utf8[..rune.EncodeToUtf8(utf8)];
        if (!_vocabulary.ByteFallback)
        {
            return false;
        }

        foreach (byte value in utf8)
        {
            if (_vocabulary.ByteIds[value] < 0)
            {
                return false;
            }
        }

        foreach (byte value in utf8)
        {
            merger.Add(_vocabulary.ByteIds[value], 0);
        }

        return true;
    }

    /// <summary>Without an unknown token, what the vocabulary cannot write is left out.</summary>
    private void AddUnknown(SymbolMerger merger, ref bool afterUnknown)
    {
        if (_vocabulary.UnknownId is int unknown && !(afterUnknown && _vocabulary.FuseUnknown))
        {
            merger.Add(unknown, 0);
        }

        afterUnknown = true;
    }

    private readonly struct RankRule(MergeTable merges) : IMergeRule
    {
        public bool TryMerge(int leftId, int rightId, int start, int end, out uint priority, out int mergedId) =>
            merges.TryGet(leftId, rightId, out priority, out mergedId);
    }
}
