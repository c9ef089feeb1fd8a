using System.Text;
using Serving.Engine.Formats;
using Serving.Engine.Sampling;
using Serving.TestKit;
using Serving.Text.Tokenization;

namespace Serving.Grammars.Tests.Support;

/// <summary>Vocabularies to match with: that of the model that ships, and small ones.</summary>
internal static class Vocabularies
{
    public static ITokenizer Tokenizer { get; } = ReadTokenizer();

    /// <summary>SmolLM2's 49,152 tokens.</summary>
    public static TokenVocabulary SmolLm2 { get; } = TokenizerVocabulary.Of(Tokenizer);

    /// <summary>All single bytes, then some texts; the last token is the end.</summary>
    public static TokenVocabulary OfBytesAnd(params string[] texts) => new(
    [
        .. Enumerable.Range(0, 256).Select(value => Text([(byte)value])),
        .. texts.Select(text => Text(Encoding.UTF8.GetBytes(text))),
        new VocabularyToken(default, default, "<end>"),
    ]);

    public static VocabularyToken Text(byte[] bytes) => new(bytes, bytes);

    private static ITokenizer ReadTokenizer()
    {
        using var source = ModelSource.Open(Repository.DefaultModel);
        return source.ReadText().Tokenizer;
    }
}
