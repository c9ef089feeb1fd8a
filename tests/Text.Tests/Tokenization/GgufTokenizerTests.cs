using Serving.Text.Tokenization;
using Xunit;

namespace Serving.Text.Tests.Tokenization;

public sealed class GgufTokenizerTests
{
    [Fact]
    public void Merges_sentence_pieces_by_score_and_falls_back_to_bytes()
    {
        ITokenizer tokenizer = GgufTokenizer.Create(SentencePieces());

        Assert.Equal([1, 9], Fixtures.Encode(tokenizer, PromptText.Plain("ab"), addSpecialTokens: true));
        Assert.Equal([11, 8], Fixtures.Encode(tokenizer, "abc"));
        Assert.Equal([4, 12, 13], Fixtures.Encode(tokenizer, "é"));
        Assert.Equal("é", tokenizer.Decode([4, 12, 13], skipSpecial: true));
        Assert.Equal("ab c", tokenizer.Decode([9, 4, 7], skipSpecial: true));
    }

    [Fact]
    public void Puts_a_space_before_text_only_where_the_file_says_so()
    {
        ITokenizer tokenizer = GgufTokenizer.Create(SentencePieces() with { AddSpacePrefix = false });

        Assert.Equal([5], Fixtures.Encode(tokenizer, "a"));
        Assert.Equal(" a", tokenizer.Decode([4, 5], skipSpecial: true));
    }

    [Fact]
    public void Takes_the_ends_of_a_turn_from_fields_and_from_well_known_names()
    {
        GgufVocabulary vocabulary = Bytes("<|eot_id|>", "<|end|>", "mine") with { EosId = 258 };
        Assert.Equal([256, 257, 258], GgufTokenizer.Create(vocabulary).EndOfGenerationIds.Order());

        GgufVocabulary harmony = Bytes("<|end|>", "<|return|>", "<|call|>");
        Assert.Equal([257, 258], GgufTokenizer.Create(harmony).EndOfGenerationIds.Order());
    }

    [Fact]
    public void Names_the_known_pre_tokenizers_when_it_refuses_another()
    {
        string message = Refusal(Bytes() with { Pre = "mystery" });
        Assert.Contains("'mystery'", message, StringComparison.Ordinal);
        Assert.Contains("llama-bpe", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_damaged_metadata_by_field()
    {
        Assert.Contains("tokenizer.ggml.model", Refusal(Bytes() with { Model = "rwkv" }), StringComparison.Ordinal);
        Assert.Contains("tokenizer.ggml.merges", Refusal(Bytes() with { Merges = null }), StringComparison.Ordinal);
        Assert.Contains("tokenizer.ggml.merges[0]", Refusal(Bytes() with { Merges = ["ab"] }), StringComparison.Ordinal);
        Assert.Contains("not in the vocabulary", Refusal(Bytes() with { Merges = ["a b"] }), StringComparison.Ordinal);
        Assert.Contains("tokenizer.ggml.token_type", Refusal(Bytes() with { TokenTypes = [1] }), StringComparison.Ordinal);
        Assert.Contains("tokenizer.ggml.bos_token_id", Refusal(Bytes() with { BosId = 4000 }), StringComparison.Ordinal);
        Assert.Contains("tokenizer.ggml.tokens", Refusal(Bytes() with { Tokens = [] }), StringComparison.Ordinal);
        Assert.Contains("tokenizer.ggml.scores", Refusal(Bytes() with { Model = "llama" }), StringComparison.Ordinal);
    }

    private static string Refusal(GgufVocabulary vocabulary) =>
        Assert.Throws<TokenizerFormatException>(() => GgufTokenizer.Create(vocabulary)).Message;

    /// <summary>The 256 bytes, and after them some control tokens.</summary>
    private static GgufVocabulary Bytes(params string[] controls) => new()
    {
        Model = "gpt2",
        Pre = "gpt-2",
        Tokens = [.. Enumerable.Range(0, 256).Select(value => Serving.Text.Tokenization.Models.ByteAlphabet.Character((byte)value).ToString()), .. controls],
        TokenTypes = [.. Enumerable.Repeat(1, 256), .. Enumerable.Repeat(3, controls.Length)],
        Merges = [],
    };

    private static GgufVocabulary SentencePieces() => new()
    {
        Model = "llama",
        Tokens = ["<unk>", "<s>", "</s>", "<pad>", "▁", "a", "b", "c", "bc", "▁ab", "ab", "▁a", "<0xC3>", "<0xA9>"],
        TokenTypes = [2, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 6, 6],
        Scores = [0, 0, 0, -9, -9, -9, -9, -9, -1, -2, -3, -4, 0, 0],
        BosId = 1,
        EosId = 2,
        UnknownId = 0,
    };
}
