using System.Text.Json;
using Serving.Grammars.Tests.Support;

namespace Serving.Grammars.Tests;

/// <summary>Grammars put together: what forced tool calls and structural tags are made of.</summary>
public sealed class CompositionTests
{
    private static readonly Grammar _arguments = Grammar.JsonSchema(JsonDocument.Parse("""{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}""").RootElement);

    [Fact]
    public void A_forced_call_is_a_literal_a_schema_and_a_literal()
    {
        var call = Grammar.Sequence(Grammar.Literal("<call>"), _arguments, Grammar.Literal("</call>"));

        Assert.True(Walk.Accepts(call, "<call>{\"n\": 4}</call>"));
        Assert.False(Walk.Accepts(call, "<call>{\"n\": 4}"));
        Assert.False(Walk.Accepts(call, "<call>{}</call>"));
    }

    [Theory]
    [InlineData("Just text with < and <cal.", true)]
    [InlineData("Text <call>{\"n\":1}</call> more <<call>{\"n\":2}</call>", true)]
    [InlineData("Text <call>", false)]
    [InlineData("Text <call>{\"x\":1}</call>", false)]
    [InlineData("Text <call>{\"n\":1}", false)]
    [InlineData("", true)]
    public void A_marker_in_free_text_has_to_be_followed_by_its_grammar(string text, bool isIn) => Assert.Equal(isIn, Walk.Accepts(Calls(0, null), text));

    [Theory]
    [InlineData(1, null, "no call", false)]
    [InlineData(1, null, "a <call>{\"n\":1}</call> b", true)]
    [InlineData(0, 1, "<call>{\"n\":1}</call> b", false)]
    [InlineData(0, 1, "a", true)]
    [InlineData(1, 1, "a<call>{\"n\":1}</call>", true)]
    [InlineData(0, 2, "<call>{\"n\":1}</call>-<call>{\"n\":1}</call>", true)]
    public void Markers_can_be_counted(int min, int? max, string text, bool isIn) => Assert.Equal(isIn, Walk.Accepts(Calls(min, max), text));

    [Fact]
    public void A_special_token_is_asked_for_by_name_and_never_comes_as_text()
    {
        var vocabulary = new TokenVocabulary([.. Enumerable.Range(0, 256).Select(value => Vocabularies.Text([(byte)value])), new(default, default, "[CALL]"), new(default, default, "<end>")]);
        var grammar = Grammar.FreeText([new GrammarTrigger("[CALL]", _arguments, IsSpecialToken: true)]);
        var matcher = new GrammarMatcher(new CompiledGrammar(grammar, vocabulary), new[] { 257 });

        Assert.Equal(254 + 2, Walk.Allowed(matcher).Count);
        Assert.True("text [CALL] ".All(character => matcher.TryAdvance(character)));
        Assert.True(matcher.TryAdvance(256));
        Assert.Equal(['{'], Walk.Allowed(matcher));
        Assert.True("{\"n\":3}".All(character => matcher.TryAdvance(character)));
        Assert.True(matcher.IsComplete);
        Assert.Contains(256, Walk.Allowed(matcher));
    }

    [Fact]
    public void A_special_token_that_the_model_lacks_is_named() =>
        Assert.Contains("[NONE]", Assert.Throws<GrammarException>(() => new CompiledGrammar(Grammar.SpecialToken("[NONE]"), Vocabularies.SmolLm2)).Message);

    [Fact]
    public void Markers_within_one_another_are_refused() => Assert.Throws<GrammarException>(() => Grammar.FreeText(
        [new GrammarTrigger("<call", _arguments), new GrammarTrigger("<call>", _arguments)]));

    [Fact]
    public void One_of_several_texts()
    {
        var grammar = Grammar.OneOf(["yes", "yesterday", "nein ß"]);
        Assert.True(Walk.Accepts(grammar, "yes"));
        Assert.True(Walk.Accepts(grammar, "nein ß"));
        Assert.False(Walk.Accepts(grammar, "yest"));
        Assert.Throws<GrammarException>(() => Grammar.OneOf([]));
        Assert.Equal("[1]", Assert.Throws<GrammarException>(() => Grammar.OneOf(["a", ""])).Path);
    }

    [Theory]
    [InlineData("{}", true)]
    [InlineData("{\"a\": [1, {\"b\": null}], \"c\":\"\\u00e9\\\"\"}", true)]
    [InlineData("[1]", false)]
    [InlineData("{\"a\":01}", false)]
    [InlineData("{ \"a\":1}", false)]
    [InlineData("{\"a\":\"\\ud800\"}", false)]
    public void Any_object(string text, bool isIn) => Assert.Equal(isIn, Walk.Accepts(Grammar.JsonObject(), text));

    private static Grammar Calls(int min, int? max) =>
        Grammar.FreeText([new GrammarTrigger("<call>", Grammar.Sequence(_arguments, Grammar.Literal("</call>")))], min, max);
}
