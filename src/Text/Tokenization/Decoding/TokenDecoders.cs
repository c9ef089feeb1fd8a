using Serving.Text.Tokenization.Models;
using Serving.Text.Tokenization.PreTokenizers;

namespace Serving.Text.Tokenization.Decoding;

/// <summary>The decoders of tokenizer.json that work token by token.</summary>
internal static class TokenDecoders
{
    /// <summary>What transformers calls the clean-up of tokenization spaces, in its order.</summary>
    private static readonly (string From, string To)[] _cleanup =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ];

    public static DecodedToken ByteLevel(DecodedToken token) => token with { Bytes = ByteAlphabet.Decode(token.Text) };

    public static DecodedToken ByteFallback(DecodedToken token) =>
        ByteTokens.TryParse(token.Text, out byte value) ? token with { Bytes = [value], IsByte = true } : token;

    /// <summary>Without a decoder, tokens stand apart.</summary>
    public static DecodedToken Spaced(DecodedToken token) => token.Leading ? token : token with { Text = " " + token.Text };

    public static TokenDecoder Replace(string pattern, string content) =>
        token => token.Bytes is null ? token with { Text = token.Text.Replace(pattern, content, StringComparison.Ordinal) } : token;

    /// <summary>Takes up to so many of a character off the ends of each token.</summary>
    public static TokenDecoder Strip(char content, int left, int right) => token =>
    {
        if (token.Bytes is not null)
        {
            return token;
        }

        int start = 0;
        while (start < token.Text.Length && start < left && token.Text[start] == content)
        {
            start++;
        }

        int end = token.Text.Length;
        while (end > start && token.Text.Length - end < right && token.Text[end - 1] == content)
        {
            end--;
        }

        return token with { Text = token.Text[start..end] };
    };

    /// <summary>Takes one character off the start of the whole text.</summary>
    public static TokenDecoder StripTextStart(char content) => token =>
    {
        if (!token.Leading)
        {
            return token;
        }

        if (token.Bytes is byte[] bytes)
        {
            return bytes.Length > 0 && bytes[0] == content ? token with { Bytes = bytes[1..] } : token;
        }

        return token.Text.StartsWith(content) ? token with { Text = token.Text[1..] } : token;
    };

    public static TokenDecoder Metaspace(char replacement, MetaspacePrepend prepend) => token =>
    {
        string space = token.Leading && prepend != MetaspacePrepend.Never ? "" : " ";
        return token with { Text = token.Text.Replace(replacement.ToString(), space, StringComparison.Ordinal) };
    };

    public static TokenDecoder WordPiece(string prefix, bool cleanup) => token =>
    {
        string text = token.Text;
        if (!token.Leading)
        {
            text = text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : " " + text;
        }

        foreach ((string from, string to) in cleanup ? _cleanup : [])
        {
            text = text.Replace(from, to, StringComparison.Ordinal);
        }

        return token with { Text = text };
    };
}
