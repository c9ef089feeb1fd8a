using System.Text.Json;

namespace Serving.Grammars.Json;

/// <content>Keywords of arrays and objects, which a schema's others change the meaning of.</content>
internal sealed partial class SchemaReader
{
    private static bool IsPartKeyword(string name) => name is
        "items" or "prefixItems" or "additionalItems" or "minItems" or "maxItems" or "uniqueItems"
        or "properties" or "required" or "additionalProperties" or "patternProperties" or "propertyNames" or "minProperties" or "maxProperties";

    private static void AddArray(SchemaConstraints constraints, SchemaSource source)
    {
        var schema = source.Schema;
        if (schema.TryGetProperty("minItems", out var min))
        {
            constraints.MinItems = Math.Max(constraints.MinItems, ReadCount(min, $"{source.Path}.minItems"));
        }

        if (schema.TryGetProperty("maxItems", out var max))
        {
            constraints.MaxItems = Least(constraints.MaxItems, ReadCount(max, $"{source.Path}.maxItems"));
        }

        if (IsTrue(schema, "uniqueItems") && !(constraints.MaxItems <= 1))
        {
            throw Fail($"{source.Path}.uniqueItems", $"is a keyword that constrained decoding does not hold{Advice("uniqueItems")}.");
        }

        // Before draft 2020 the list was called items, and what followed it additionalItems.
        var hasList = schema.TryGetProperty("items", out var items) && items.ValueKind == JsonValueKind.Array;
        var prefixName = hasList ? "items" : "prefixItems";
        var restName = hasList ? "additionalItems" : "items";
        var hasPrefix = schema.TryGetProperty(prefixName, out var prefix);
        var hasRest = schema.TryGetProperty(restName, out var rest);
        if (!hasPrefix && !hasRest)
        {
            return;
        }

        if (hasPrefix && (prefix.ValueKind != JsonValueKind.Array || prefix.GetArrayLength() > GrammarLimits.BranchesMax))
        {
            throw Fail($"{source.Path}.{prefixName}", $"must be an array of at most {GrammarLimits.BranchesMax} schemas.");
        }

        constraints.Arrays.Add(new SchemaConstraints.ArrayPart(
            hasPrefix ? [.. prefix.EnumerateArray().Select((item, i) => source.Under(item, prefixName, i))] : [],
            hasRest ? source.Under(rest, restName) : null));
    }

    private static void AddObject(SchemaConstraints constraints, SchemaSource source)
    {
        var schema = source.Schema;
        if (schema.TryGetProperty("minProperties", out var min))
        {
            constraints.MinProperties = Math.Max(constraints.MinProperties, ReadCount(min, $"{source.Path}.minProperties"));
        }

        if (schema.TryGetProperty("maxProperties", out var max))
        {
            constraints.MaxProperties = Least(constraints.MaxProperties, ReadCount(max, $"{source.Path}.maxProperties"));
        }

        if (schema.TryGetProperty("required", out var required) && required.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            foreach (var name in required.ValueKind == JsonValueKind.Array ? required.EnumerateArray() : throw Fail($"{source.Path}.required", "must be an array of names."))
            {
                constraints.Required.Add(ReadText(name, $"{source.Path}.required"));
            }
        }

        if (schema.TryGetProperty("propertyNames", out var names))
        {
            constraints.PropertyNames.Add(source.Under(names, "propertyNames"));
        }

        var properties = Members(source, "properties").ToList();
        var patterns = Members(source, "patternProperties").ToList();
        var hasAdditional = schema.TryGetProperty("additionalProperties", out var additional);
        if (properties.Count > 0 || patterns.Count > 0 || hasAdditional)
        {
            constraints.Objects.Add(new SchemaConstraints.ObjectPart(
                properties.ToDictionary(member => member.Name, member => member.Source),
                patterns,
                hasAdditional ? source.Under(additional, "additionalProperties") : null));
        }
    }

    private static IEnumerable<(string Name, SchemaSource Source)> Members(SchemaSource source, string keyword)
    {
        if (!source.Schema.TryGetProperty(keyword, out var members))
        {
            return [];
        }

        return members.ValueKind == JsonValueKind.Object
            ? members.EnumerateObject().Select(member => (member.Name, source.Under(member.Value, $"{keyword}.{member.Name}")))
            : throw Fail($"{source.Path}.{keyword}", "must be an object of schemas.");
    }
}
