using Serving.Text.Streaming;
using Serving.Text.Tokenization;
using Xunit;

namespace Serving.Text.Tests.Tokenization;

public sealed class GoldenTests
{
    public static TheoryData<string> Kinds =>
        ["gpt2", "llama3", "qwen2", "o200k", "smollm", "deepseek-v3", "llama2", "gemma", "wordpiece-minilm"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Encodes_as_the_reference(string kind)
    {
        ITokenizer tokenizer = Fixtures.Load(kind);
        foreach (Fixtures.GoldenRow row in Fixtures.Rows(kind))
        {
            Assert.Equal(row.Ids, Fixtures.Encode(tokenizer, row.Text));
            Assert.Equal(row.IdsWithSpecial, Fixtures.Encode(tokenizer, PromptText.Trusted(row.Text), addSpecialTokens: true));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Decodes_as_the_reference(string kind)
    {
        ITokenizer tokenizer = Fixtures.Load(kind);
        foreach (Fixtures.GoldenRow row in Fixtures.Rows(kind))
        {
            Assert.Equal(row.Decoded, tokenizer.Decode(row.Ids, skipSpecial: false));
            Assert.Equal(row.DecodedSkipSpecial, tokenizer.Decode(row.Ids, skipSpecial: true));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Streams_as_the_reference(string kind)
    {
        ITokenizer tokenizer = Fixtures.Load(kind);
        foreach (Fixtures.GoldenRow row in Fixtures.Rows(kind))
        {
            StreamingDetokenizer stream = new(tokenizer, skipSpecial: false);
            Assert.Equal(row.Stream, row.Ids.Select(stream.Append));
            Assert.Equal("", stream.Flush());
        }
    }
}
