namespace Serving.Text.Tokenization.Models;

/// <summary>What a <see cref="BpeModel"/> knows: tokens, merges and the flags of tokenizer.json's <c>model</c>.</summary>
internal sealed class BpeVocabulary
{
    public required Dictionary<string, int> IdsByText { get; init; }

    public required MergeTable Merges { get; init; }

    /// <summary>Ids of the single bytes (-1 where missing): the byte alphabet's where <see cref="ByteLevel"/>, else <c>&lt;0x..&gt;</c>.</summary>
    public required int[] ByteIds { get; init; }

    /// <summary>Symbols are bytes, not characters.</summary>
    public bool ByteLevel { get; init; }

    public bool ByteFallback { get; init; }

    /// <summary>A piece that is a token as a whole is that token, whatever the merges would make of it (Llama 3, Tekken).</summary>
    public bool IgnoreMerges { get; init; }

    public int? UnknownId { get; init; }

    /// <summary>Neighbouring unknown characters become one unknown token.</summary>
    public bool FuseUnknown { get; init; }

    /// <summary>Stands before every symbol of a piece but the first, in the vocabulary.</summary>
    public string ContinuingPrefix { get; init; } = "";

    /// <summary>Stands after the last symbol of a piece, in the vocabulary.</summary>
    public string EndSuffix { get; init; } = "";

    /// <summary>Whether a merge has a byte token as a part.</summary>
    public bool MergesBytes { get; init; }

    public static int[] FindByteLevelIds(Dictionary<string, int> idsByText)
    {
        int[] ids = new int[256];
        for (int value = 0; value < ids.Length; value++)
        {
            ids[value] = idsByText.GetValueOrDefault(ByteAlphabet.Character((byte)value).ToString(), -1);
        }

        return ids;
    }

    public bool TryFindCharacter(
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> lookup, ReadOnlySpan<char> character, bool isFirst, bool isLast, out int id)
    {
        if ((isFirst || ContinuingPrefix.Length == 0) && (!isLast || EndSuffix.Length == 0))
        {
            return lookup.TryGetValue(character, out id);
        }

        string text = string.Concat(isFirst ? "" : ContinuingPrefix, character, isLast ? EndSuffix : "");
        return lookup.TryGetValue(text, out id);
    }

    /// <summary>The pairs that keep characters together, or null where cutting a piece elsewhere could change its ids.</summary>
    public CharacterPairs? FindSeparablePairs()
    {
        bool unknownsFuse = FuseUnknown && UnknownId is not null && !(ByteFallback && Array.TrueForAll(ByteIds, id => id >= 0));
        if (ByteLevel || IgnoreMerges || MergesBytes || unknownsFuse || ContinuingPrefix.Length > 0 || EndSuffix.Length > 0)
        {
            return null;
        }

        CharacterPairs pairs = new();
        foreach (string token in IdsByText.Keys)
        {
            pairs.AddToken(token);
        }

        return pairs;
    }
}
