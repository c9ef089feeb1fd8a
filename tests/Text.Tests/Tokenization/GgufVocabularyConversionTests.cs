using System.Text;
using System.Text.Json.Nodes;
using Serving.Text.Tokenization;
using Xunit;

namespace Serving.Text.Tests.Tokenization;

public sealed class GgufVocabularyConversionTests
{
    private static readonly GgufVocabularyOptions _silent = new();

    [Theory]
    [InlineData("gpt2", "gpt2", "gpt-2")]
    [InlineData("llama3", "gpt2", "dbrx")]
    [InlineData("qwen2", "gpt2", "qwen2")]
    [InlineData("o200k", "gpt2", "gpt-4o")]
    [InlineData("smollm", "gpt2", "smollm")]
    [InlineData("deepseek-v3", "gpt2", "deepseek-v3")]
    [InlineData("llama2", "llama", "default")]
    [InlineData("gemma", "llama", "default")]
    [InlineData("wordpiece-minilm", "bert", null)]
    public void Encodes_and_decodes_as_the_reference(string kind, string model, string? pre)
    {
        GgufVocabulary vocabulary = Convert(kind, WithoutStripping);
        Assert.Equal((model, pre), (vocabulary.Model, vocabulary.Pre));

        ITokenizer tokenizer = GgufTokenizer.Create(vocabulary);
        Fixtures.GoldenRow[] rows = [.. Fixtures.Rows(kind).Where(row => !row.Text.Contains("</think>", StringComparison.Ordinal))];
        Assert.NotEmpty(rows);
        foreach (Fixtures.GoldenRow row in rows)
        {
            if (model != "bert")
            {
                Assert.Equal(row.Ids, Fixtures.Encode(tokenizer, row.Text));
            }

            Assert.Equal(row.IdsWithSpecial, Fixtures.Encode(tokenizer, PromptText.Trusted(row.Text), addSpecialTokens: true));
            Assert.Equal(row.Decoded, tokenizer.Decode(row.Ids, skipSpecial: false));

            // These files declare their byte tokens special, so that skipping special tokens drops what bytes write; GGUF has a type for them.
            if (!row.Ids.Any(id => tokenizer.Kind(id) == TokenKind.Byte))
            {
                Assert.Equal(row.DecodedSkipSpecial, tokenizer.Decode(row.Ids, skipSpecial: true));
            }
        }
    }

    [Theory]
    [InlineData("llama3")]
    [InlineData("qwen2")]
    public void Refuses_a_token_that_takes_white_space_with_it(string kind) =>
        Assert.Contains("'</think>'.rstrip", Refusal(kind, _ => { }), StringComparison.Ordinal);

    [Fact]
    public void Gives_tokens_their_types()
    {
        GgufVocabulary llama3 = Convert("llama3", WithoutStripping, _silent with { VocabularySize = 705 });
        Assert.Equal((3, 1, 3, 4, 5), (llama3.TokenTypes![0], llama3.TokenTypes[3], llama3.TokenTypes[700], llama3.TokenTypes[701], llama3.TokenTypes[703]));
        Assert.Equal(["[PAD703]", "[PAD704]"], llama3.Tokens.Skip(703));

        GgufVocabulary llama2 = Convert("llama2", _ => { });
        Assert.Equal((2, 3, 6), (llama2.TokenTypes![0], llama2.TokenTypes[1], llama2.TokenTypes[3]));
    }

    [Fact]
    public void Takes_what_surrounds_a_text_from_the_post_processor()
    {
        GgufVocabulary llama2 = Convert("llama2", _ => { }, _silent with { EndOfText = "</s>", AddsBeginOfText = false });
        Assert.Equal((1, true, 2, false, true, 0), (llama2.BosId, llama2.AddBos, llama2.EosId, llama2.AddEos, llama2.AddSpacePrefix, llama2.UnknownId));
        Assert.False(Convert("gemma", _ => { }).AddSpacePrefix);
        Assert.False(Convert("gpt2", _ => { }).AddBos);

        GgufVocabulary bert = Convert("wordpiece-minilm", _ => { }, _silent with { Padding = "[PAD]" });
        Assert.Equal((101, 102, 100, 0), (bert.BosId, bert.SeparatorId, bert.UnknownId, bert.PaddingId));
    }

    [Fact]
    public void Takes_it_from_the_configuration_where_there_is_no_post_processor()
    {
        GgufVocabulary vocabulary = Convert("gpt2", _ => { }, _silent with { BeginOfText = "<|bos|>", AddsBeginOfText = true, EndOfText = "<|im_end|>", AddsEndOfText = true });

        Assert.Equal((0, true, 2, true), (vocabulary.BosId, vocabulary.AddBos, vocabulary.EosId, vocabulary.AddEos));
        Assert.Equal([0, 2], Fixtures.Encode(GgufTokenizer.Create(vocabulary), PromptText.Plain(""), addSpecialTokens: true));
        Assert.Contains("bos_token", Refusal("gpt2", _ => { }, _silent with { AddsBeginOfText = true }), StringComparison.Ordinal);
    }

    [Fact]
    public void Declares_every_token_that_ends_a_generation()
    {
        GgufVocabulary vocabulary = Convert("llama3", WithoutStripping, _silent with { EndOfText = "<|bos|>", EndOfGenerationIds = [0, 2, 1, 700] });

        // <|im_end|>, 2, is known by its name.
        Assert.Equal((0, 1, 700), (vocabulary.EosId, vocabulary.EotId, vocabulary.EomId));
        Assert.Equal([0, 1, 2, 700], GgufTokenizer.Create(vocabulary).EndOfGenerationIds.Order());
        Assert.Contains(
            "1, 700, 701", Refusal("llama3", WithoutStripping, _silent with { EndOfText = "<|bos|>", EndOfGenerationIds = [1, 700, 701] }), StringComparison.Ordinal);
    }

    [Fact]
    public void Names_an_unknown_split_expression() =>
        Assert.Contains(@"no GGUF pre-tokenizer stands for: \w+|\W+", Refusal("gpt2", json => json["pre_tokenizer"] = Splitting(@"\w+|\W+")), StringComparison.Ordinal);

    [Fact]
    public void Knows_an_expression_in_its_other_spelling()
    {
        GgufVocabulary vocabulary = Convert("qwen2", json =>
        {
            WithoutStripping(json);
            json["pre_tokenizer"] = Splitting(
                "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+");
        });

        Assert.Equal("qwen2", vocabulary.Pre);
    }

    [Fact]
    public void Tells_whether_ignored_merges_matter()
    {
        // Without the merge that ends in it, a token is reached as a whole word only.
        Assert.Equal("llama-bpe", Convert("llama3", IgnoringMerges).Pre);
        Assert.Contains("pre smollm", Refusal("smollm", IgnoringMerges), StringComparison.Ordinal);

        static void IgnoringMerges(JsonNode json)
        {
            WithoutStripping(json);
            json["model"]!["ignore_merges"] = true;
            json["model"]!["merges"]!.AsArray().RemoveAt(440);
        }
    }

    public static TheoryData<string, Action<JsonNode>, string> Inexpressible => new()
    {
        { "gpt2", json => json["normalizer"] = Node("""{"type":"NFC"}"""), "normalizer" },
        { "qwen2", json => { WithoutStripping(json); json["normalizer"] = null; json["pre_tokenizer"]!["pretokenizers"]![0]!["behavior"] = "Removed"; }, "behavior" },
        { "gpt2", json => json["normalizer"] = Node("""{"type":"Lowercase"}"""), "'Lowercase'" },
        { "gpt2", json => json["pre_tokenizer"]!["add_prefix_space"] = true, "add_prefix_space" },
        { "gpt2", json => json["model"]!["end_of_word_suffix"] = "</w>", "end_of_word_suffix" },
        { "gpt2", json => json["post_processor"] = Template("<|bos|>", 0, "<|im_end|>", 2), "post_processor" },
        { "llama2", json => json["normalizer"] = Node("""{"type":"NFKC"}"""), "NFKC" },
        { "llama2", json => { json["normalizer"] = null; json["pre_tokenizer"] = Node("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":false}"""); }, "prepend_scheme" },
        { "llama2", json => json["model"]!["byte_fallback"] = false, "byte_fallback" },
        { "gemma", json => json["normalizer"] = null, "pre_tokenizer" },
        { "wordpiece-minilm", json => json["normalizer"]!["lowercase"] = false, "normalizer" },
        { "wordpiece-minilm", json => json["pre_tokenizer"] = Node("""{"type":"Whitespace"}"""), "pre_tokenizer" },
        { "wordpiece-minilm", json => json["post_processor"] = null, "post_processor" },
    };

    [Theory]
    [MemberData(nameof(Inexpressible))]
    public void Refuses_by_name_what_GGUF_cannot_express(string kind, Action<JsonNode> edit, string named) =>
        Assert.Contains(named, Refusal(kind, edit), StringComparison.Ordinal);

    [Fact]
    public void Refuses_an_embedding_with_fewer_rows_than_tokens() =>
        Assert.Contains("vocab_size", Refusal("gpt2", _ => { }, _silent with { VocabularySize = 699 }), StringComparison.Ordinal);

    [Fact]
    public void Refuses_merges_that_scores_cannot_repeat() =>
        // Scores merge any two neighbours that are a token together; here no merge does.
        Assert.Contains("would become", Refusal("llama2", json => json["model"]!["merges"] = new JsonArray()), StringComparison.Ordinal);

    private static GgufVocabulary Convert(string kind, Action<JsonNode> edit, GgufVocabularyOptions? options = null)
    {
        JsonNode json = JsonNode.Parse(File.ReadAllText(Fixtures.Path(kind, "tokenizer.json")))!;
        edit(json);
        return GgufVocabularyConversion.Convert(new MemoryStream(Encoding.UTF8.GetBytes(json.ToJsonString())), options ?? _silent);
    }

    private static string Refusal(string kind, Action<JsonNode> edit, GgufVocabularyOptions? options = null) =>
        Assert.Throws<TokenizerFormatException>(() => Convert(kind, edit, options)).Message;

    private static void WithoutStripping(JsonNode json)
    {
        foreach (JsonNode? token in json["added_tokens"]!.AsArray())
        {
            token!["rstrip"] = false;
        }
    }

    private static JsonNode Splitting(string regex)
    {
        JsonNode node = Node("""
            {"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":""},"behavior":"Isolated","invert":false},
            {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]}
            """);
        node["pretokenizers"]![0]!["pattern"]!["Regex"] = regex;
        return node;
    }

    private static JsonNode Template(string first, int firstId, string second, int secondId) => Node($$$"""
        {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"{{{first}}}","type_id":0}},{"SpecialToken":{"id":"{{{second}}}","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
        "pair":[],"special_tokens":{"{{{first}}}":{"id":"{{{first}}}","ids":[{{{firstId}}}],"tokens":["{{{first}}}"]},"{{{second}}}":{"id":"{{{second}}}","ids":[{{{secondId}}}],"tokens":["{{{second}}}"]} } }
        """);

    private static JsonNode Node(string json) => JsonNode.Parse(json)!;
}
