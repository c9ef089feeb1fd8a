using CsCheck;
using Serving.Text.Streaming;
using Serving.Text.Tokenization;
using Xunit;

namespace Serving.Text.Tests.Tokenization;

public sealed class RoundTripTests
{
    private static readonly Gen<string> _texts =
        Gen.Int[0, 0x10FFFF].Where(value => value is < 0xD800 or > 0xDFFF).Select(char.ConvertFromUtf32).Array[0, 40].Select(parts => string.Concat(parts));

    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama3")]
    [InlineData("o200k")]
    [InlineData("smollm")]
    [InlineData("deepseek-v3")]
    [InlineData("llama2")]
    [InlineData("gemma")]
    public void Decodes_what_it_encoded(string kind)
    {
        ITokenizer tokenizer = Fixtures.Load(kind);
        _texts.Where(text => !text.Contains('▁')).Sample(
            text => tokenizer.Decode([.. Fixtures.Encode(tokenizer, PromptText.Plain(text))], skipSpecial: false) == text, iter: 500);
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("qwen2")]
    [InlineData("gemma")]
    [InlineData("llama2")]
    [InlineData("wordpiece-minilm")]
    public void Streams_what_it_decodes_whole(string kind)
    {
        ITokenizer tokenizer = Fixtures.Load(kind);
        _texts.Sample(
            text =>
            {
                List<int> ids = Fixtures.Encode(tokenizer, text);
                return Stream(tokenizer, ids) == tokenizer.Decode([.. ids], skipSpecial: false);
            },
            iter: 500);
    }

    [Fact]
    public void Streams_any_ids_as_it_decodes_them_whole()
    {
        ITokenizer tokenizer = Fixtures.Load("gpt2");
        Gen.Int[-1, tokenizer.VocabularySize].List[0, 60].Sample(
            ids => Stream(tokenizer, ids) == tokenizer.Decode([.. ids], skipSpecial: false), iter: 2000);
    }

    [Fact]
    public void Encodes_the_same_on_many_threads()
    {
        ITokenizer tokenizer = Fixtures.Load("llama3");
        string[] texts = [.. Fixtures.Rows("llama3").Select(row => row.Text)];
        int[][] expected = [.. Fixtures.Rows("llama3").Select(row => row.Ids)];
        Parallel.For(0, 400, i => Assert.Equal(expected[i % texts.Length], Fixtures.Encode(tokenizer, texts[i % texts.Length])));
    }

    private static string Stream(ITokenizer tokenizer, List<int> ids)
    {
        StreamingDetokenizer stream = new(tokenizer, skipSpecial: false);
        return string.Concat(ids.Select(stream.Append)) + stream.Flush();
    }
}
