using System.Text;

namespace Serving.Text.Tokenization.Models;

/// <summary>
/// SentencePiece's BPE as llama.cpp runs it on a GGUF vocabulary: of all neighbours that together are a token, the pair with the highest
/// score becomes one. Characters that no token holds are written as bytes.
/// </summary>
internal sealed class ScoredModel : ITokenModel
{
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _idsByText;
    private readonly uint[] _priorities;
    private readonly int[] _byteIds;
    private readonly int? _unknownId;
    private readonly int _tokenLengthMax;
    private readonly CharacterPairs _pairs = new();
    private readonly WordCache _cache = new();

    public ScoredModel(Dictionary<string, int> idsByText, IReadOnlyList<float> scores, int? unknownId)
    {
        _idsByText = idsByText.GetAlternateLookup<ReadOnlySpan<char>>();
        _byteIds = ByteTokens.Find(idsByText);
        _unknownId = unknownId;
        _priorities = new uint[scores.Count];
        for (int id = 0; id < scores.Count; id++)
        {
            _priorities[id] = DescendingOrder(scores[id]);
        }

        foreach (string token in idsByText.Keys)
        {
            _pairs.AddToken(token);
            _tokenLengthMax = Math.Max(_tokenLengthMax, token.Length);
        }
    }

    public void Encode(ReadOnlySpan<char> piece, List<int> output)
    {
        while (!piece.IsEmpty)
        {
            int length = _pairs.FirstPartLength(piece);
            ReadOnlySpan<char> part = piece[..length];
            piece = piece[length..];
            bool cacheable = length <= WordCache.WordLengthMax;
            if (cacheable && _cache.TryAppend(part, output))
            {
                continue;
            }

            int from = output.Count;
            Merge(part, output);
            if (cacheable)
            {
                _cache.Add(part, output, from);
            }
        }
    }

    private void Merge(ReadOnlySpan<char> part, List<int> output)
    {
        SymbolMerger merger = SymbolMerger.Rent();
        for (int i = 0; i < part.Length;)
        {
            Rune.DecodeFromUtf16(part[i..], out _, out int length);
            merger.Add(_idsByText.TryGetValue(part.Slice(i, length), out int id) ? id : -1, i);
            i += length;
        }

        merger.Merge(new ScoreRule(this, part), part.Length);
        for (int symbol = merger.First; symbol >= 0; symbol = merger.Next(symbol))
        {
            if (merger.Id(symbol) >= 0)
            {
                output.Add(merger.Id(symbol));
            }
            else
            {
                AddAsBytes(part[merger.Start(symbol)..], output);
            }
        }

        merger.Return();
    }

    private void AddAsBytes(ReadOnlySpan<char> text, List<int> output)
    {
        Rune.DecodeFromUtf16(text, out Rune rune, out _);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (byte value in utf8[..rune.EncodeToUtf8(utf8)])
        {
            if (_byteIds[value] >= 0)
            {
                output.Add(_byteIds[value]);
            }
            else if (_unknownId is int unknown)
            {
                output.Add(unknown);
                return;
            }
        }
    }

    /// <summary>Maps a higher score to a lower number, with the order of floating-point numbers turned into that of integers.</summary>
    private static uint DescendingOrder(float score)
    {
        uint bits = BitConverter.SingleToUInt32Bits(score + 0f);
        uint ascending = (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
        return Math.Min(~ascending, uint.MaxValue - 1);
    }

    private readonly ref struct ScoreRule(ScoredModel model, ReadOnlySpan<char> part) : IMergeRule
    {
        private readonly ReadOnlySpan<char> _part = part;

        public bool TryMerge(int leftId, int rightId, int start, int end, out uint priority, out int mergedId)
        {
            if (end - start > model._tokenLengthMax || !model._idsByText.TryGetValue(_part[start..end], out mergedId))
            {
                (priority, mergedId) = (0, 0);
                return false;
            }

            priority = model._priorities[mergedId];
            return true;
        }
    }
}
