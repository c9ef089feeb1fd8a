using System.Text.Json;
using Serving.Text.Tokenization;
using Xunit;

namespace Serving.Text.Tests.Tokenization;

public sealed class GgufTokenizerTests
{
    [Theory]
    [InlineData("gpt2", "gpt-2")]
    [InlineData("llama3", "llama-bpe")]
    [InlineData("qwen2", "qwen2")]
    [InlineData("o200k", "gpt-4o")]
    [InlineData("smollm", "smollm")]
    [InlineData("deepseek-v3", "deepseek-v3")]
    public void Encodes_byte_level_vocabularies_as_the_reference(string kind, string pre)
    {
        ITokenizer tokenizer = GgufTokenizer.Create(FromJson(kind) with { Model = "gpt2", Pre = pre });
        foreach (Fixtures.GoldenRow row in Fixtures.Rows(kind).Where(row => !row.Text.Contains("</think>", StringComparison.Ordinal)))
        {
            Assert.Equal(row.Ids, Fixtures.Encode(tokenizer, row.Text));
            Assert.Equal(row.Decoded, tokenizer.Decode(row.Ids, skipSpecial: false));
            Assert.Equal(row.DecodedSkipSpecial, tokenizer.Decode(row.Ids, skipSpecial: true));
        }
    }

    [Fact]
    public void Encodes_a_word_piece_vocabulary_as_the_reference()
    {
        GgufVocabulary json = FromJson("wordpiece-minilm");
        ITokenizer tokenizer = GgufTokenizer.Create(json with
        {
            Model = "bert",
            Tokens = [.. json.Tokens.Select(token => token[0] == '[' && token.Length > 1 ? token : token.StartsWith("##", StringComparison.Ordinal) ? token[2..] : "▁" + token)],
        });
        foreach (Fixtures.GoldenRow row in Fixtures.Rows("wordpiece-minilm"))
        {
            Assert.Equal(row.IdsWithSpecial, Fixtures.Encode(tokenizer, PromptText.Trusted(row.Text), addSpecialTokens: true));
            Assert.Equal(row.Decoded, tokenizer.Decode(row.Ids, skipSpecial: false));
        }
    }

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

    private static GgufVocabulary FromJson(string kind)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(Fixtures.Path(kind, "tokenizer.json")));
        JsonElement model = document.RootElement.GetProperty("model");
        SortedDictionary<int, string> tokens = [];
        Dictionary<int, int> types = [];
        foreach (JsonProperty token in model.GetProperty("vocab").EnumerateObject())
        {
            tokens[token.Value.GetInt32()] = token.Name;
        }

        foreach (JsonElement token in document.RootElement.GetProperty("added_tokens").EnumerateArray())
        {
            int id = token.GetProperty("id").GetInt32();
            tokens[id] = token.GetProperty("content").GetString()!;
            types[id] = token.GetProperty("special").GetBoolean() ? 3 : 4;
        }

        return new GgufVocabulary
        {
            Model = "",
            Tokens = [.. tokens.Values],
            TokenTypes = [.. tokens.Keys.Select(id => types.GetValueOrDefault(id, 1))],
            Merges = model.TryGetProperty("merges", out JsonElement merges) ? [.. merges.EnumerateArray().Select(pair => $"{pair[0].GetString()} {pair[1].GetString()}")] : null,
        };
    }
}
