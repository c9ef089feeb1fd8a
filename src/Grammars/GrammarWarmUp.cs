using System.Numerics;
using System.Text.Json;

namespace Serving.Grammars;

/// <summary>
/// Pays ahead for what the first constraints of a process would otherwise wait for: the compilation of this project's code, and the masks of strings, numbers and formats,
/// which all grammars over a vocabulary have in common.
/// </summary>
public static class GrammarWarmUp
{
    private const int Rounds = 2;
    private const int AnswerTokensMax = 200;

    /// <summary>Of every kind that schemas have, one.</summary>
    private const string Schema = """
        {
          "type": "object",
          "properties": {
            "text": { "type": "string" },
            "name": { "type": "string", "minLength": 1, "maxLength": 40 },
            "code": { "type": "string", "pattern": "^[A-Z]{2}-[0-9]{1,6}$" },
            "when": { "type": "string", "format": "date-time" },
            "id": { "type": "string", "format": "uuid" },
            "mail": { "type": "string", "format": "email" },
            "count": { "type": "integer", "minimum": 0, "maximum": 999 },
            "price": { "type": "number", "minimum": 0.5, "maximum": 20 },
            "ratio": { "type": "number" },
            "flag": { "type": ["boolean", "null"] },
            "kind": { "enum": ["one", "two", 3] },
            "list": { "type": "array", "items": { "$ref": "#/$defs/node" }, "minItems": 1, "maxItems": 4 },
            "some": { "anyOf": [{ "type": "string", "maxLength": 5 }, { "type": "object", "additionalProperties": { "type": "integer" } }] },
            "either": { "oneOf": [{ "type": "integer" }, { "type": "string", "format": "date" }] },
            "any": {},
            "link": { "type": "string", "format": "uri" }
          },
          "required": ["text", "name", "when", "list"],
          "$defs": { "node": { "type": "object", "properties": { "next": { "$ref": "#/$defs/node" }, "of": { "const": "node" } }, "required": ["of"] } }
        }
        """;

    /// <summary>What checking constraints needs, without a vocabulary.</summary>
    public static void Check() => OfEveryKind().Check();

    /// <summary>What following answers needs too.</summary>
    /// <param name="vocabulary">Whose masks are computed.</param>
    /// <param name="atMost">How long, about, the masks may take.</param>
    public static void Run(TokenVocabulary vocabulary, TimeSpan atMost)
    {
        try
        {
            for (var round = 0; round < Rounds; round++)
            {
                Run(Grammar.JsonObject(), vocabulary, atMost / Rounds, round);
                Run(OfEveryKind(), vocabulary, atMost / Rounds, round);
            }
        }
        catch (GrammarException)
        {
            // A vocabulary without braces or digits: no request will want JSON of it.
        }
    }

    private static Grammar OfEveryKind()
    {
        using var schema = JsonDocument.Parse(Schema);
        return Grammar.JsonSchema(schema.RootElement);
    }

    private static void Run(Grammar grammar, TokenVocabulary vocabulary, TimeSpan atMost, int seed)
    {
        var compiled = new CompiledGrammar(grammar, vocabulary);
        compiled.Prepare(atMost);
        var random = new Random(seed);
        var matcher = new GrammarMatcher(compiled, ReadOnlyMemory<int>.Empty);
        var mask = new ulong[matcher.MaskWords];
        while (!matcher.MustEnd && matcher.Count < AnswerTokensMax)
        {
            if (!matcher.TryPrepare())
            {
                matcher.MasksToCome().ComputeNext();
            }

            matcher.Fill(mask);
            if (!matcher.TryAdvance(Choose(mask, random)))
            {
                return;
            }
        }
    }

    /// <summary>A token of a mask; an answer of them comes through all that a grammar has.</summary>
    private static int Choose(ReadOnlySpan<ulong> mask, Random random)
    {
        var count = 0;
        foreach (var word in mask)
        {
            count += BitOperations.PopCount(word);
        }

        var left = count == 0 ? 0 : random.Next(count);
        for (var word = 0; word < mask.Length; word++)
        {
            for (var bits = mask[word]; bits != 0; bits &= bits - 1)
            {
                if (left-- == 0)
                {
                    return (word * 64) + BitOperations.TrailingZeroCount(bits);
                }
            }
        }

        return -1;
    }
}
