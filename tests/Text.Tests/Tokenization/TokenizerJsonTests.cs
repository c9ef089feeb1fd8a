using System.Text;
using Serving.Text.Tokenization;
using Xunit;

namespace Serving.Text.Tests.Tokenization;

public sealed class TokenizerJsonTests
{
    private const string Model = """{"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "▁": 3, "▁a": 4, "c": 5, "aab": 6}, "merges": ["a b", ["▁", "a"]]}""";

    [Theory]
    [InlineData("""{"model": 1}""", "model")]
    [InlineData("""{"model": {"type": "Unigram", "vocab": []}}""", "model.vocab")]
    [InlineData("""{"model": {"type": "WordLevel", "vocab": {}}}""", "model.type")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}""", "model.vocab")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 99999999}, "merges": []}}""", "model.vocab")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a a"]}}""", "model.merges[0]")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {}, "merges": [], "dropout": 0.1}}""", "model.dropout")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {}, "merges": [], "novelty": 1}}""", "model.novelty")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {}, "merges": []}, "novelty": 1}""", "novelty")]
    [InlineData("""{"normalizer": {"type": "Precompiled"}}""", "normalizer.type")]
    [InlineData("""{"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Mystery"}]}}""", "pre_tokenizer.pretokenizers[0].type")]
    [InlineData("""{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated"}}""", "pre_tokenizer.pattern.Regex")]
    [InlineData("""{"pre_tokenizer": {"type": "Split", "pattern": {"String": "x"}, "behavior": "3"}}""", "pre_tokenizer.behavior")]
    [InlineData("""{"decoder": {"type": "CTC"}}""", "decoder.type")]
    [InlineData("""{"decoder": {"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 0, "stop": 1}]}}""", "decoder.decoders[1]")]
    [InlineData("""{"post_processor": {"type": "TemplateProcessing", "single": [], "special_tokens": {}}}""", "post_processor.single")]
    [InlineData("""{"model": """, "(file)")]
    public void Names_the_field_it_cannot_read(string json, string field) =>
        Assert.Equal(field, Assert.Throws<TokenizerFormatException>(() => Load(json)).Field);

    [Fact]
    public void Reads_merges_in_both_forms()
    {
        ITokenizer tokenizer = Load($$"""{"model": {{Model}}}""");

        Assert.Equal([2, 4, 0], Fixtures.Encode(tokenizer, "ab▁aa"));
        Assert.Equal("ab ▁a a", tokenizer.Decode([2, 4, 0], skipSpecial: false));
    }

    [Theory]
    [InlineData("Removed", new[] { 0, 1 })]
    [InlineData("Isolated", new[] { 0, 5, 5, 1 })]
    public void Splits_as_the_behaviour_says(string behavior, int[] expected)
    {
        string split = $$"""{"type": "Split", "pattern": {"String": "c"}, "behavior": "{{behavior}}", "invert": false}""";
        Assert.Equal(expected, Fixtures.Encode(Load($$"""{"model": {{Model}}, "pre_tokenizer": {{split}}}"""), "accb"));
    }

    [Fact]
    public void Writes_a_visible_space_before_words()
    {
        const string Metaspace = """{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true}""";
        ITokenizer tokenizer = Load($$"""{"model": {{Model}}, "pre_tokenizer": {{Metaspace}}, "decoder": {{Metaspace}}}""");

        Assert.Equal([4, 3, 2], Fixtures.Encode(tokenizer, "a ab"));
        Assert.Equal("a ab", tokenizer.Decode([4, 3, 2], skipSpecial: false));
    }

    [Fact]
    public void Takes_a_whole_word_before_merges_where_told()
    {
        string model = Model.Replace("\"merges\"", "\"ignore_merges\": true, \"merges\"", StringComparison.Ordinal);
        Assert.Equal([6], Fixtures.Encode(Load($$"""{"model": {{model}}}"""), "aab"));
        Assert.Equal([0, 2], Fixtures.Encode(Load($$"""{"model": {{Model}}}"""), "aab"));
    }

    [Fact]
    public void Runs_unknown_expressions_right_beyond_the_basic_plane()
    {
        const string Split = """{"type": "Split", "pattern": {"Regex": "\\p{Lu}|a"}, "behavior": "Removed"}""";
        Assert.Equal([1, 1], Fixtures.Encode(Load($$"""{"model": {{Model}}, "pre_tokenizer": {{Split}}}"""), "b𝕌ab"));
    }

    [Fact]
    public void Knows_nothing_of_ids_beyond_the_vocabulary()
    {
        ITokenizer tokenizer = Fixtures.Load("gpt2");

        Assert.Equal("", tokenizer.Decode([-1, int.MaxValue], skipSpecial: false));
        Assert.True(tokenizer.TokenBytes(-1).IsEmpty);
        Assert.Equal(TokenKind.Unused, tokenizer.Kind(tokenizer.VocabularySize));
    }

    [Fact]
    public void Finds_special_tokens_and_the_ends_of_a_generation()
    {
        ITokenizer tokenizer = TokenizerJson.Load(
            Fixtures.Path("llama3", "tokenizer.json"), new TokenizerJsonOptions { BeginOfText = "<|bos|>", EndOfText = "<|im_end|>", EndOfGenerationIds = [700] });

        Assert.Equal(1, tokenizer.FindSpecial("<|im_start|>"));
        Assert.Null(tokenizer.FindSpecial("<think>"));
        Assert.Equal(TokenKind.UserDefined, tokenizer.Kind(701));
        Assert.Equal(TokenKind.Control, tokenizer.Kind(0));
        Assert.Equal(0, tokenizer.BeginOfTextId);
        Assert.Equal([2, 700], tokenizer.EndOfGenerationIds.Order());
    }

    private static ITokenizer Load(string json) => TokenizerJson.Load(new MemoryStream(Encoding.UTF8.GetBytes(json)));
}
