namespace Serving.Text.Tokenization;

/// <summary>Turns text into token ids and back. Immutable: one object serves every request of a model at once.</summary>
public interface ITokenizer
{
    /// <summary>One more than the highest token id.</summary>
    int VocabularySize { get; }

    /// <summary>The token that begins a text, if the model has one.</summary>
    int? BeginOfTextId { get; }

    /// <summary>The token that ends a text, if the model has one.</summary>
    int? EndOfTextId { get; }

    /// <summary>Every token after which a model has nothing more to say: the end of the text and the ends of a turn.</summary>
    IReadOnlySet<int> EndOfGenerationIds { get; }

    /// <summary>Appends the ids of <paramref name="text"/> to <paramref name="output"/>.</summary>
    /// <param name="text">Special tokens are recognised in its trusted ranges only; tokens that were added but are not special, everywhere.</param>
    /// <param name="addSpecialTokens">Whether to put around it what the model expects around a text (BOS, EOS, [CLS] …).</param>
    void Encode(PromptText text, bool addSpecialTokens, List<int> output);

    /// <summary>What the token adds to a text, in UTF-8; perhaps a part of a character. Empty for an id that names no token.</summary>
    ReadOnlySpan<byte> TokenBytes(int id);

    /// <summary>The same where the token is the first of a text: some models write a space before each word, and the first one is dropped.</summary>
    ReadOnlySpan<byte> LeadingTokenBytes(int id);

    /// <summary><see cref="TokenKind.Unused"/> for an id that names no token.</summary>
    TokenKind Kind(int id);

    /// <summary>Whether decoding without special tokens leaves this one out.</summary>
    bool IsSpecial(int id);

    /// <summary>The text of <paramref name="ids"/>. Bytes that are not UTF-8 become U+FFFD; ids that name no token are left out.</summary>
    string Decode(ReadOnlySpan<int> ids, bool skipSpecial);

    /// <summary>The id of the special token that is written <paramref name="text"/>, if there is one.</summary>
    int? FindSpecial(string text);
}
