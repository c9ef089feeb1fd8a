using System.Text.Json;
using Json.Schema;
using Serving.Grammars.Tests.Support;

namespace Serving.Grammars.Tests;

/// <summary>What a schema lets through, beyond what random answers show.</summary>
public sealed class SchemaTests
{
    [Theory]
    [InlineData("""{"type":"integer","minimum":-12,"maximum":105}""", -13, 106)]
    [InlineData("""{"type":"integer","exclusiveMinimum":8,"exclusiveMaximum":21}""", 8, 21)]
    [InlineData("""{"type":"integer","minimum":990,"maximum":1010,"multipleOf":4}""", 980, 1020)]
    [InlineData("""{"type":"integer","minimum":1.5,"maximum":3.5}""", 0, 5)]
    [InlineData("""{"type":"integer","minimum":-30,"maximum":-10,"multipleOf":7}""", -40, 0)]
    public void Integers_are_those_of_their_range(string schema, int low, int high)
    {
        var element = Parse(schema);
        var grammar = Grammar.JsonSchema(element);
        var validator = JsonSchema.FromText(schema);
        for (var value = low; value <= high; value++)
        {
            Assert.Equal(validator.Evaluate(Parse($"{value}")).IsValid, Walk.Accepts(grammar, $"{value}"));
        }
    }

    [Theory]
    [InlineData("""{"type":"number","minimum":0.25,"exclusiveMaximum":3.5}""", "0.25 0.249 0.250001 3.49 3.5 3.4999 3 1 0 0.3 2.75", "0.25 0.250001 3.49 3.4999 3 1 0.3 2.75")]
    [InlineData("""{"type":"number","minimum":-1.5,"maximum":0.5}""", "-1.5 -1.51 -1.49 -0.1 0 -0.0 0.5 0.50 0.51 -1 -2", "-1.5 -1.49 -0.1 0 0.5 0.50 -1")]
    [InlineData("""{"type":"number","exclusiveMinimum":0}""", "0 0.0 0.01 1 12345.5 -1", "0.01 1 12345.5")]
    public void Fractions_are_compared_digit_by_digit(string schema, string texts, string accepted)
    {
        var grammar = Grammar.JsonSchema(Parse(schema));
        Assert.Equal(accepted, string.Join(' ', texts.Split(' ').Where(text => Walk.Accepts(grammar, text))));
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"},"c":{"type":"null"}},"required":["b"]}""", """{"b":null}""", true)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"},"c":{"type":"null"}},"required":["b"]}""", """{"a":null, "b": null,"c":null}""", true)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"}}}""", """{"b":null,"a":null}""", false)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"null"}}}""", """{"a":null,"z":1}""", false)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"null"}},"additionalProperties":{"type":"integer"}}""", """{"a":null,"z":1}""", true)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"null"}},"additionalProperties":{"type":"integer"}}""", """{"a":1}""", false)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"null"}},"additionalProperties":{"type":"integer"}}""", """{"\u0061":1}""", false)]
    [InlineData("""{"type":"object","required":["q"]}""", """{"q":[{}]}""", true)]
    [InlineData("""{"allOf":[{"properties":{"a":{"type":"null"}},"additionalProperties":false},{"properties":{"b":{"type":"null"}}}],"type":"object"}""", """{"b":null}""", false)]
    [InlineData("""{"type":"array","items":[{"type":"null"}],"additionalItems":false}""", "[null]", true)]
    [InlineData("""{"type":"array","items":[{"type":"null"}],"additionalItems":false}""", "[null,1]", false)]
    [InlineData("""{"type":"array","prefixItems":[{"type":"null"}],"maxItems":2}""", "[null,{}]", true)]
    [InlineData("""{"type":"array","prefixItems":[{"type":"null"},{"type":"null"}],"minItems":1}""", "[]", false)]
    [InlineData("""{"type":"string","maxLength":2}""", "\"\\ud83d\\ude00é\"", true)]
    [InlineData("""{"type":"string","maxLength":2}""", "\"éé\\n\"", false)]
    [InlineData("""{"type":"string","pattern":"b"}""", "\"abc\"", true)]
    [InlineData("""{"type":"string","pattern":"^\\n\"$"}""", "\"\\n\\\"\"", true)]
    [InlineData("""{"type":"string","nullable":true}""", "null", true)]
    [InlineData("""{"type":"number","minimum":5,"exclusiveMinimum":true}""", "5", false)]
    [InlineData("""{"minimum":5,"type":["integer","string"],"x-note":1,"description":"d"}""", "\"a\"", true)]
    [InlineData("true", """{"anything":[1,2]}""", true)]
    [InlineData("""{"enum":["ab","abcd",1.50]}""", "1.50", true)]
    [InlineData("""{"oneOf":[{"type":"integer","multipleOf":3},{"type":"integer","multipleOf":5}]}""", "15", false)]
    [InlineData("""{"oneOf":[{"type":"integer","multipleOf":3},{"type":"integer","multipleOf":5}]}""", "9", true)]
    public void A_text_is_allowed_or_not(string schema, string text, bool isIn) => Assert.Equal(isIn, Walk.Accepts(Grammar.JsonSchema(Parse(schema)), text));

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;
}
