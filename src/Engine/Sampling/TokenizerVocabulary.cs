using Serving.Grammars;
using Serving.Text.Tokenization;

namespace Serving.Engine.Sampling;

/// <summary>A tokenizer's tokens in the form in which grammars read them.</summary>
public static class TokenizerVocabulary
{
    /// <summary>The vocabulary of a tokenizer. Special tokens have no text, and are there by name.</summary>
    /// <param name="size">Width of the model's logits, where it is not the tokenizer's; tokens that the model cannot give are left out.</param>
    public static TokenVocabulary Of(ITokenizer tokenizer, int? size = null)
    {
        var tokens = new VocabularyToken[size ?? tokenizer.VocabularySize];
        for (var id = 0; id < tokens.Length; id++)
        {
            tokens[id] = tokenizer.Kind(id) switch
            {
                TokenKind.Unused or TokenKind.Unknown => default,
                TokenKind.Control => Special(tokenizer, id),
                _ when tokenizer.IsSpecial(id) => Special(tokenizer, id),
                _ => new VocabularyToken(tokenizer.TokenBytes(id).ToArray(), tokenizer.LeadingTokenBytes(id).ToArray()),
            };
        }

        return new TokenVocabulary(tokens);
    }

    private static VocabularyToken Special(ITokenizer tokenizer, int id) => new(default, default, tokenizer.Decode([id], skipSpecial: false));
}
