using Serving.Text.Tokenization.AddedTokens;

namespace Serving.Text.Tokenization.Gguf;

/// <summary>A <see cref="GgufVocabulary"/> after its lists have been checked against each other, with each token's kind.</summary>
internal sealed class GgufTokens
{
    private readonly TokenKind[] _kinds;

    public GgufTokens(GgufVocabulary source)
    {
        Source = source;
        int count = source.Tokens.Count;
        if (count == 0)
        {
            throw new TokenizerFormatException("tokenizer.ggml.tokens", "is empty.");
        }

        CheckCount("token_type", source.TokenTypes?.Count);
        CheckCount("scores", source.Scores?.Count);
        CheckId("bos_token_id", source.BosId);
        CheckId("eos_token_id", source.EosId);
        CheckId("eot_token_id", source.EotId);
        CheckId("eom_token_id", source.EomId);
        CheckId("unknown_token_id", source.UnknownId);
        CheckId("padding_token_id", source.PaddingId);
        CheckId("seperator_token_id", source.SeparatorId);

        for (int id = 0; id < count; id++)
        {
            IdsByText[source.Tokens[id]] = id;
        }

        EndOfGenerationIds = EndOfGeneration.Find(FindId, [source.EosId, source.EotId, source.EomId]);
        _kinds = [.. Enumerable.Range(0, count).Select(FindKind)];
    }

    public GgufVocabulary Source { get; }

    public Dictionary<string, int> IdsByText { get; } = [];

    public HashSet<int> EndOfGenerationIds { get; }

    public TokenKind Kind(int id) => _kinds[id];

    public bool IsSpecial(int id) => _kinds[id] is TokenKind.Control or TokenKind.Unknown;

    public int? FindId(string token) => IdsByText.TryGetValue(token, out int id) ? id : null;

    /// <summary>Special tokens, found in trusted text, and user-defined ones, found everywhere.</summary>
    public List<AddedToken> FindAdded()
    {
        List<AddedToken> added = [];
        for (int id = 0; id < _kinds.Length; id++)
        {
            if (IsSpecial(id) || _kinds[id] == TokenKind.UserDefined)
            {
                added.Add(new AddedToken(id, Source.Tokens[id]) { Special = IsSpecial(id) });
            }
        }

        return added;
    }

    /// <summary>What ends a generation is a special token, whatever type the file gives it.</summary>
    private TokenKind FindKind(int id)
    {
        if (EndOfGenerationIds.Contains(id))
        {
            return TokenKind.Control;
        }

        return Source.TokenTypes?[id] switch
        {
            null or 1 => TokenKind.Normal,
            2 => TokenKind.Unknown,
            3 => TokenKind.Control,
            4 => TokenKind.UserDefined,
            0 or 5 => TokenKind.Unused,
            6 => TokenKind.Byte,
            int type => throw new TokenizerFormatException("tokenizer.ggml.token_type", $"holds {type} for token {id}; 1 to 6 are known."),
        };
    }

    private void CheckCount(string name, int? count)
    {
        if (count is int known && known != Source.Tokens.Count)
        {
            throw new TokenizerFormatException($"tokenizer.ggml.{name}", $"has {known} entries for {Source.Tokens.Count} tokens.");
        }
    }

    private void CheckId(string name, int? id)
    {
        if (id is int known && (uint)known >= (uint)Source.Tokens.Count)
        {
            throw new TokenizerFormatException($"tokenizer.ggml.{name}", $"is {known}, beyond the {Source.Tokens.Count} tokens.");
        }
    }
}
