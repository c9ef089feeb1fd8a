using System.Text;
using System.Text.Json;
using Serving.Grammars.Automata;

namespace Serving.Grammars.Json;

/// <summary>Whether a value may hold to constraints. Exact for values without parts; of arrays and objects only the kind is looked at.</summary>
internal static class SchemaCheck
{
    public static bool MayAccept(SchemaConstraints constraints, JsonElement value) =>
        (constraints.Kinds & KindOf(value)) != 0
        && (constraints.Values is null || constraints.Values.Any(other => JsonElement.DeepEquals(value, other)))
        && value.ValueKind switch
        {
            JsonValueKind.Number => AcceptsNumber(constraints, value),
            JsonValueKind.String => AcceptsString(constraints, value.GetString()!),
            _ => true,
        };

    private static JsonKinds KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => JsonKinds.Null,
        JsonValueKind.True or JsonValueKind.False => JsonKinds.Boolean,
        JsonValueKind.Number => value.TryGetDecimal(out var number) && number == decimal.Floor(number) ? JsonKinds.Integer : JsonKinds.Fraction,
        JsonValueKind.String => JsonKinds.String,
        JsonValueKind.Array => JsonKinds.Array,
        _ => JsonKinds.Object,
    };

    private static bool AcceptsNumber(SchemaConstraints constraints, JsonElement value)
    {
        if (!value.TryGetDecimal(out var number))
        {
            return constraints is { Min: null, Max: null, MultipleOf: 0 };
        }

        return (constraints.Min is not { } min || number > min.Value || (number == min.Value && !min.IsExclusive))
            && (constraints.Max is not { } max || number < max.Value || (number == max.Value && !max.IsExclusive))
            && (constraints.MultipleOf == 0 || number % constraints.MultipleOf == 0);
    }

    private static bool AcceptsString(SchemaConstraints constraints, string text)
    {
        var length = text.EnumerateRunes().Count();
        return length >= constraints.MinLength
            && length <= (constraints.MaxLength ?? int.MaxValue)
            && (constraints.Texts.Count == 0 || RuleBuilder.BuildFlat(StringText.Canonical(constraints)).Accepts(Encoding.UTF8.GetBytes(JsonText.Quoted(text))));
    }
}
