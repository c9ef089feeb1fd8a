using Serving.Text.Streaming;
using Serving.Text.Tests.Tokenization;
using Serving.Text.Tokenization;
using Xunit;

namespace Serving.Text.Tests.Streaming;

public sealed class StreamingDetokenizerTests
{
    private static readonly ITokenizer _llama = Fixtures.Load("llama2");

    [Fact]
    public void Holds_back_half_a_character_until_it_is_whole() => Assert.Equal(["", "é"], Append(ByteId(0xC3), ByteId(0xA9)));

    [Fact]
    public void Replaces_each_byte_that_belongs_to_no_character() =>
        Assert.Equal(["", "", "\uFFFD\uFFFDH"], Append(ByteId(0xE6), ByteId(0x97), Fixtures.Encode(_llama, "H")[^1]));

    [Fact]
    public void Ends_with_a_replacement_for_what_was_held_back()
    {
        StreamingDetokenizer stream = new(_llama, skipSpecial: false);
        stream.Append(ByteId(0xE6));

        Assert.Equal("\uFFFD", stream.Flush());
        Assert.Equal("", stream.Flush());
    }

    [Fact]
    public void Leaves_out_special_tokens_where_told()
    {
        ITokenizer tokenizer = Fixtures.Load("llama3");
        StreamingDetokenizer stream = new(tokenizer);

        Assert.Equal(["", "", "<think>"], new[] { 1, 2, 701 }.Select(stream.Append));
    }

    [Fact]
    public void Does_not_hold_back_without_end()
    {
        ITokenizer tokenizer = Fixtures.Load("gpt2");
        int lead = Enumerable.Range(0, tokenizer.VocabularySize).First(id => tokenizer.TokenBytes(id).SequenceEqual((ReadOnlySpan<byte>)[0xE6]));
        StreamingDetokenizer stream = new(tokenizer);

        Assert.Contains(Enumerable.Repeat(lead, 100).Select(stream.Append), text => text.Length > 0);
    }

    private static IEnumerable<string> Append(params int[] ids)
    {
        StreamingDetokenizer stream = new(_llama, skipSpecial: false);
        return ids.Select(stream.Append);
    }

    private static int ByteId(byte value) => _llama.FindSpecial($"<0x{value:X2}>")!.Value;
}
