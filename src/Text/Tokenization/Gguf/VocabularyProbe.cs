using System.Text;
using Serving.Text.Tokenization.AddedTokens;

namespace Serving.Text.Tokenization.Gguf;

/// <summary>
/// Holds a converted vocabulary against its tokenizer.json: texts dense in what split expressions tell apart, every token's own text, and every added token between words.
/// Reading the fields alone cannot tell whether, say, merges skipped for whole words (<c>ignore_merges</c>) make a difference in this vocabulary.
/// </summary>
internal static class VocabularyProbe
{
    private static readonly string[] _texts =
    [
        "Hello, World! It's 12345 o'clock; WE'LL see, they'RE here.\n\n  Indented\ttext \r\n and   spaces   ",
        "def f(x):\n    return x**2 + 3.14159e-10  # comment\n\n\n\tpass",
        "Ünïcödé ÀÉÎ straße — “quotes” … 日本語テキスト 漢字かな 한국어 русский العربية हिन्दी ไทย",
        "e\u0301 A\u030a o\u0308 a\u0323\u0302 \u1100\u1161", "camelCase HTMLParser iPhone XMLHttpRequest aB Ab AB", "🙂👩‍👩‍👧 𝕌𝕟𝕚 \u200b\u00a0\u3000x",
        "1 22 333 4444 55555 ١٢٣ ½ Ⅷ 3rd", "a/b\\c http://x.y/z?q=1&r=2 <tag attr='v'/> /\n//\n !!!\n???", " leading", "trailing ", "  two", "", " ", "\n", "'s 'S 'll 'LL ''", "____---===",
    ];

    /// <summary>A sentence that names the first difference, or null.</summary>
    public static string? FindDifference(ITokenizer original, GgufVocabulary converted, VocabularySource source)
    {
        ITokenizer tokenizer = GgufTokenizer.Create(converted);
        List<int> expected = [];
        List<int> actual = [];
        foreach (string text in Texts(original, source))
        {
            expected.Clear();
            actual.Clear();
            original.Encode(PromptText.Trusted(text), addSpecialTokens: false, expected);
            tokenizer.Encode(PromptText.Trusted(text), addSpecialTokens: false, actual);
            if (!expected.SequenceEqual(actual))
            {
                return $"cannot be expressed in GGUF{(converted.Pre is null ? "" : $" (model {converted.Model}, pre {converted.Pre})")}: '{text}' is [{string.Join(", ", expected)}]"
                    + $" and would become [{string.Join(", ", actual)}].";
            }
        }

        return null;
    }

    private static IEnumerable<string> Texts(ITokenizer original, VocabularySource source)
    {
        foreach (string text in _texts)
        {
            yield return text;
        }

        foreach (AddedToken token in source.Added)
        {
            if (original.Kind(token.Id) != TokenKind.Byte)
            {
                yield return $"word{token.Content}next {token.Content} and";
            }
        }

        UTF8Encoding strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        for (int id = 0; id < original.VocabularySize; id++)
        {
            string text;
            try
            {
                text = strict.GetString(original.TokenBytes(id));
            }
            catch (DecoderFallbackException)
            {
                continue;
            }

            yield return text;
        }
    }
}
