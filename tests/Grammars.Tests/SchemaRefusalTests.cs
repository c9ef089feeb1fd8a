using System.Text.Json;
using Serving.Grammars.Tests.Support;

namespace Serving.Grammars.Tests;

/// <summary>Schemas that are wrong, cannot be held, or are meant to do harm.</summary>
public sealed class SchemaRefusalTests
{
    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"not":{"type":"null"}}}}""", ".properties.a.not")]
    [InlineData("""{"type":"array","uniqueItems":true}""", ".uniqueItems")]
    [InlineData("""{"type":"array","contains":{"const":1}}""", ".contains")]
    [InlineData("""{"if":{"type":"string"}}""", ".if")]
    [InlineData("""{"type":"string","maxLenght":4}""", ".maxLenght")]
    [InlineData("""{"type":"strin"}""", ".type")]
    [InlineData("""{"type":"string","format":"postcode"}""", ".format")]
    [InlineData("""{"type":"string","pattern":"(?=a)"}""", ".pattern")]
    [InlineData("""{"type":"number","multipleOf":0.01}""", ".multipleOf")]
    [InlineData("""{"$ref":"#/$defs/none"}""", ".$ref")]
    [InlineData("""{"$ref":"https://example.org/schema"}""", ".$ref")]
    [InlineData("""{"$ref":"#"}""", ".$ref")]
    [InlineData("""{"anyOf":[]}""", ".anyOf")]
    [InlineData("""{"oneOf":[{"type":"string"},{"type":["string","null"]}]}""", ".oneOf")]
    [InlineData("""{"oneOf":[{"type":"object","properties":{"a":{"type":"string"}}},{"type":"object","properties":{"b":{"type":"string"}}}]}""", ".oneOf")]
    [InlineData("""{"type":"object","properties":{"a":7}}""", ".properties.a")]
    [InlineData("""{"type":"object","properties":[]}""", ".properties")]
    [InlineData("""{"type":"object","additionalProperties":true,"minProperties":3}""", ".minProperties")]
    [InlineData("""{"type":"string","minLength":-1}""", ".minLength")]
    [InlineData("""{"allOf":[{"$ref":"#"}],"type":"object"}""", ".allOf[0].$ref")]
    [InlineData("""{"type":"string","pattern":"^a*$","maxLength":100000}""", ".pattern")]
    public void A_keyword_that_no_automaton_holds_is_named_by_its_path(string schema, string path) =>
        Assert.Equal(path, Assert.Throws<GrammarException>(() => Compile(schema)).Path);

    [Theory]
    [InlineData("""{"type":"object","properties":{"next":{"$ref":"#"}},"required":["next"]}""")]
    [InlineData("""{"type":"integer","minimum":5,"maximum":4}""")]
    [InlineData("""{"enum":[]}""")]
    [InlineData("""{"type":"string","enum":[1,2]}""")]
    [InlineData("""{"allOf":[{"type":"string"},{"type":"integer"}]}""")]
    [InlineData("""{"type":"object","required":["a"],"additionalProperties":false}""")]
    [InlineData("false")]
    public void A_schema_that_nothing_satisfies_is_refused(string schema) => Assert.Contains("no end", Assert.Throws<GrammarException>(() => Compile(schema)).Message);

    [Fact]
    public void Recursion_on_the_left_is_refused() => Assert.Throws<GrammarException>(() => Compile("""{"anyOf":[{"$ref":"#"},{"type":"null"}]}"""));

    public static TheoryData<string, string> HostileSchemas => new()
    {
        { "an enum of 20,000 values", $"{{\"enum\":[{Join(20_000, i => $"{i}")}]}}" },
        { "references that double", $"{{\"$defs\":{{{Join(30, i => $"\"d{i}\":{{\"allOf\":[{{\"$ref\":\"#/$defs/d{i + 1}\"}},{{\"$ref\":\"#/$defs/d{i + 1}\"}}]}}")},\"d30\":{{\"type\":\"string\"}}}},\"$ref\":\"#/$defs/d0\"}}" },
        { "alternatives that double", $"{{\"allOf\":[{Join(24, i => $"{{\"anyOf\":[{{\"minimum\":{i}}},{{\"maximum\":{100 - i}}}]}}")}]}}" },
        { "a pattern of exponential size", """{"type":"string","pattern":"^(a|b)*a(a|b){18}c(x|y)*x(x|y){18}$","minLength":3}""" },
        { "nested repetitions", """{"type":"string","pattern":"^(((a{1,99}b){1,99}c){1,99}d){1,99}$","minLength":3}""" },
        { "patterns of many names", $"{{\"type\":\"object\",\"patternProperties\":{{{Join(40, i => $"\".*[{(char)('a' + (i % 26))}].{{{i}}}x.*\":{{}}")}}}}}" },
    };

    [Theory]
    [MemberData(nameof(HostileSchemas))]
    public void A_hostile_schema_is_refused_with_little_work(string what, string schema)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<GrammarException>(() => Compile(schema));
        AssertWork(what, before);
    }

    [Theory]
    [InlineData("""{"type":"string","pattern":"^(a|a)*(a|a)*(a|a)*b$"}""")]
    [InlineData("""{"type":"string","maxLength":2000000000}""")]
    [InlineData("""{"type":"array","items":{"type":"integer"},"minItems":100000,"maxItems":200000}""")]
    [InlineData("""{"type":"string","pattern":"^.{0,50000}$"}""")]
    [InlineData("""{"type":"string","pattern":"^[ab]{1,300}[bc]{1,300}[ac]{1,300}$"}""")]
    public void Large_counts_and_ambiguous_patterns_cost_little(string schema)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var compiled = Compile(schema);
        Walk.Allowed(new GrammarMatcher(compiled, ReadOnlyMemory<int>.Empty));
        AssertWork(schema, before);
    }

    /// <summary>Bytes allocated stand for the work: they are the same on every machine and under every load.</summary>
    private static void AssertWork(string what, long before)
    {
        const long bytesMax = 256 << 20;
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(bytes < bytesMax, $"{what} took {bytes >> 20} MiB");
    }

    private static string Join(int count, Func<int, string> item) => string.Join(',', Enumerable.Range(0, count).Select(item));

    private static CompiledGrammar Compile(string schema)
    {
        var grammar = Grammar.JsonSchema(JsonDocument.Parse(schema).RootElement);
        grammar.Check();
        return new CompiledGrammar(grammar, Vocabularies.SmolLm2);
    }
}
