using System.Collections.Concurrent;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;
using Serving.Grammars;

namespace Serving.Gateway.Generation;

/// <summary>
/// Reads what the answer's text must be: OpenAI's <c>response_format</c>, and vLLM's <c>guided_json</c>, <c>guided_regex</c>, <c>guided_choice</c> and
/// <c>guided_grammar</c>. What cannot be held is found here, before a worker hears of it.
/// </summary>
internal static class ConstraintReader
{
    private const int NameLengthMax = 64;
    private const int ChoicesMax = 10_000;
    private const int PassedMax = 256;

    /// <summary>Constraints that were checked and found good: clients send the same ones again and again.</summary>
    private static readonly ConcurrentDictionary<Constraint, bool> _passed = [];

    /// <summary>The constraint, or null when the text may be anything, or something is wrong with the fields.</summary>
    public static Constraint? Read(RequestFields fields)
    {
        Constraint? constraint = null;
        foreach (var read in (ReadOnlySpan<Func<RequestFields, Constraint?>>)[ReadResponseFormat, ReadJson, ReadRegex, ReadChoice, ReadGrammar])
        {
            if (read(fields) is { } asked)
            {
                if (constraint is not null)
                {
                    fields.Fail(asked.Param, $"cannot be asked for together with '{constraint.Param}': give one of them.");
                }

                constraint = asked;
            }
        }

        return constraint is null || fields.Error is not null ? null : Check(fields, constraint);
    }

    /// <summary>The constraint, of which the request hears what is wrong with it.</summary>
    public static Constraint Check(RequestFields fields, Constraint constraint)
    {
        if (FindFault(constraint) is { } fault)
        {
            fields.Fail(constraint.Param + fault.Path, fault.Reason, "invalid_value");
        }

        return constraint;
    }

    /// <summary>Why a constraint cannot be held, as far as no vocabulary is needed to see it; or null.</summary>
    public static GrammarException? FindFault(Constraint constraint)
    {
        if (_passed.ContainsKey(constraint))
        {
            return null;
        }

        try
        {
            ConstraintGrammar.Of(constraint).Check();
        }
        catch (GrammarException exception)
        {
            return exception;
        }

        if (_passed.Count >= PassedMax)
        {
            _passed.Clear();
        }

        _passed.TryAdd(constraint.Clone(), true);
        return null;
    }

    /// <summary>Reads the form of <c>text.format</c> in <c>/v1/responses</c>, where a schema has its name beside it.</summary>
    public static Constraint? ReadFlatFormat(RequestFields fields, string field, JsonElement format) => ReadFormat(fields, field, format, isFlat: true);

    private static Constraint? ReadResponseFormat(RequestFields fields) =>
        fields.TryGet("response_format", out var format) ? ReadFormat(fields, "response_format", format, isFlat: false) : null;

    private static Constraint? ReadFormat(RequestFields fields, string field, JsonElement format, bool isFlat)
    {
        if (format.ValueKind != JsonValueKind.Object)
        {
            fields.Fail(field, $"must be an object, not {RequestFields.Kind(format)}.");
            return null;
        }

        switch (format.TryGetProperty("type", out var type) ? fields.Text($"{field}.type", type) : null)
        {
            case "text":
                return null;
            case "json_object":
                return new Constraint { JsonObject = new AnyJsonObject(), Param = field };
            case "json_schema" when isFlat:
                return ReadJsonSchema(fields, field, format);
            case "json_schema":
                return ReadNestedJsonSchema(fields, $"{field}.json_schema", format);
            default:
                fields.Fail($"{field}.type", "must be text, json_object or json_schema.");
                return null;
        }
    }

    private static Constraint? ReadNestedJsonSchema(RequestFields fields, string field, JsonElement format)
    {
        if (format.TryGetProperty("json_schema", out var named) && named.ValueKind == JsonValueKind.Object)
        {
            return ReadJsonSchema(fields, field, named);
        }

        fields.Fail(field, "must be an object with a 'name' and a 'schema'.");
        return null;
    }

    private static Constraint? ReadJsonSchema(RequestFields fields, string field, JsonElement named)
    {
        var name = named.TryGetProperty("name", out var value) ? fields.Text($"{field}.name", value) : null;
        if (name is null || name.Length is 0 or > NameLengthMax || !name.All(unit => char.IsAsciiLetterOrDigit(unit) || unit is '_' or '-'))
        {
            fields.Fail($"{field}.name", $"must be there, with 1 to {NameLengthMax} letters, digits, underscores and dashes.");
        }

        if (named.TryGetProperty("strict", out var strict) && strict.ValueKind is not (JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null))
        {
            fields.Fail($"{field}.strict", $"must be true or false, not {RequestFields.Kind(strict)}.");
        }

        if (named.TryGetProperty("schema", out var schema))
        {
            return new Constraint { JsonSchema = schema.GetRawText(), Param = $"{field}.schema" };
        }

        fields.Fail($"{field}.schema", "is missing: send the JSON schema that the answer has to satisfy.");
        return null;
    }

    /// <summary>A schema, or one written as a string.</summary>
    private static Constraint? ReadJson(RequestFields fields)
    {
        const string field = "guided_json";
        if (!fields.TryGet(field, out var schema))
        {
            return null;
        }

        var json = schema.ValueKind == JsonValueKind.String ? fields.Text(field, schema) : schema.GetRawText();
        return new Constraint { JsonSchema = json ?? "", Param = field };
    }

    private static Constraint? ReadRegex(RequestFields fields) =>
        fields.Text("guided_regex", int.MaxValue) is { } regex ? new Constraint { Regex = regex, Param = "guided_regex" } : null;

    private static Constraint? ReadGrammar(RequestFields fields) =>
        fields.Text("guided_grammar", int.MaxValue) is { } grammar ? new Constraint { Grammar = grammar, Param = "guided_grammar" } : null;

    private static Constraint? ReadChoice(RequestFields fields)
    {
        const string field = "guided_choice";
        if (!fields.TryGet(field, out var choices))
        {
            return null;
        }

        if (choices.ValueKind != JsonValueKind.Array || choices.GetArrayLength() is 0 or > ChoicesMax)
        {
            fields.Fail(field, $"must be an array of 1 to {ChoicesMax} strings.");
            return null;
        }

        var texts = new ConstraintList();
        foreach (var choice in choices.EnumerateArray())
        {
            texts.Items.Add(new Constraint { Literal = fields.Text($"{field}[{texts.Items.Count}]", choice) ?? "" });
        }

        return new Constraint { Alternatives = texts, Param = field };
    }
}
