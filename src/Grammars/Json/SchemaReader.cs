using System.Numerics;
using System.Text.Json;

namespace Serving.Grammars.Json;

/// <summary>Reads schemas' keywords into <see cref="SchemaConstraints"/>. A keyword that is not held is refused, never dropped; only annotations are passed over.</summary>
internal sealed partial class SchemaReader(JsonElement root)
{
    private const long MultipleOfMax = 10_000;

    private static readonly HashSet<string> _annotations =
    [
        "$schema", "$id", "$comment", "$defs", "definitions", "$anchor", "title", "description", "default", "examples", "example", "deprecated", "readOnly",
        "writeOnly", "discriminator", "contentMediaType", "contentEncoding", "contentSchema", "externalDocs", "xml", "nullable",
    ];

    private readonly HashSet<string> _openReferences = [];
    private int _schemas;
    private int _values;

    /// <summary>What some schemas together ask.</summary>
    public SchemaConstraints Read(IReadOnlyList<SchemaSource> sources)
    {
        var constraints = new SchemaConstraints(sources.Count == 0 ? "" : sources[0].Path);
        foreach (var source in sources)
        {
            Add(constraints, source);
        }

        return constraints;
    }

    /// <summary>Adds what one more schema asks.</summary>
    public void Add(SchemaConstraints constraints, SchemaSource source)
    {
        if (++_schemas > GrammarLimits.SchemasMax)
        {
            throw Fail(source.Path, $"makes the schema too large: it has more than {GrammarLimits.SchemasMax} subschemas, or as many once its references are followed.");
        }

        switch (source.Schema.ValueKind)
        {
            case JsonValueKind.True:
                return;
            case JsonValueKind.False:
                constraints.Kinds = JsonKinds.None;
                return;
            case JsonValueKind.Object:
                AddKeywords(constraints, source);
                return;
            default:
                throw Fail(source.Path, "must be a schema: an object, true or false.");
        }
    }

    /// <summary>The schema that one which is nothing but a reference refers to, through any number of them.</summary>
    public SchemaSource Follow(SchemaSource source)
    {
        var seen = new HashSet<string>();
        while (source.Schema.ValueKind == JsonValueKind.Object && source.Schema.TryGetProperty("$ref", out var reference)
            && source.Schema.EnumerateObject().All(member => member.Name == "$ref" || _annotations.Contains(member.Name)))
        {
            var target = Resolve(reference, source.Path);
            if (!seen.Add(target.Path))
            {
                throw Fail($"{source.Path}.$ref", "leads back to itself: no value can satisfy it.");
            }

            source = target;
        }

        return source;
    }

    private void AddKeywords(SchemaConstraints constraints, SchemaSource source)
    {
        var schema = source.Schema;
        foreach (var member in schema.EnumerateObject())
        {
            if (!AddGeneral(constraints, source, member) && !AddNumber(constraints, source, member) && !AddString(constraints, source, member)
                && !IsPartKeyword(member.Name) && !_annotations.Contains(member.Name) && !member.Name.StartsWith("x-", StringComparison.Ordinal))
            {
                throw Fail($"{source.Path}.{member.Name}", $"is a keyword that constrained decoding does not hold{Advice(member.Name)}.");
            }
        }

        AddArray(constraints, source);
        AddObject(constraints, source);
    }

    private static string Advice(string keyword) => keyword switch
    {
        "not" => ": say what is allowed instead",
        "uniqueItems" => ": an automaton would have to remember every item. Leave it out, or set maxItems to 1",
        "contains" or "minContains" or "maxContains" => ": give the items' schema, or prefixItems",
        "if" or "then" or "else" => ": write the cases as anyOf",
        "dependentRequired" or "dependentSchemas" or "dependencies" => ": write the cases as anyOf",
        "unevaluatedProperties" or "unevaluatedItems" => ": use additionalProperties or items",
        _ => ": leave it out, or name it x-… if it is a note",
    };

    /// <returns>Whether it is one of these keywords.</returns>
    private bool AddGeneral(SchemaConstraints constraints, SchemaSource source, JsonProperty member)
    {
        var path = $"{source.Path}.{member.Name}";
        switch (member.Name)
        {
            case "$ref":
                AddReference(constraints, Resolve(member.Value, source.Path), path);
                return true;
            case "type":
                constraints.Kinds &= ReadKinds(source, member.Value, path);
                return true;
            case "enum":
                Restrict(constraints, member.Value.ValueKind == JsonValueKind.Array ? [.. member.Value.EnumerateArray()] : throw Fail(path, "must be an array of values."), path);
                return true;
            case "const":
                Restrict(constraints, [member.Value], path);
                return true;
            case "allOf":
                foreach (var branch in Branches(source, member))
                {
                    Add(constraints, branch);
                }

                return true;
            case "anyOf" or "oneOf":
                constraints.Groups.Add(new SchemaConstraints.Group(member.Name == "oneOf", [.. Branches(source, member)], path));
                return true;
            default:
                return false;
        }
    }

    private void AddReference(SchemaConstraints constraints, SchemaSource target, string path)
    {
        if (!_openReferences.Add(target.Path))
        {
            throw Fail(path, "recurses while its neighbours are merged into it: put the recursion into a property or an item.");
        }

        Add(constraints, target);
        _openReferences.Remove(target.Path);
    }

    private static IEnumerable<SchemaSource> Branches(SchemaSource source, JsonProperty member) =>
        member.Value.ValueKind == JsonValueKind.Array && member.Value.GetArrayLength() > 0
            ? member.Value.EnumerateArray().Select((branch, i) => source.Under(branch, member.Name, i))
            : throw Fail($"{source.Path}.{member.Name}", "must be an array of at least one schema.");

    private void Restrict(SchemaConstraints constraints, List<JsonElement> values, string path)
    {
        _values += values.Count;
        if (_values > GrammarLimits.EnumValuesMax)
        {
            throw Fail(path, $"has too many values: at most {GrammarLimits.EnumValuesMax} are allowed in all enums together.");
        }

        constraints.Values = constraints.Values is null
            ? values
            : [.. constraints.Values.Where(value => values.Any(other => JsonElement.DeepEquals(value, other)))];
    }

    private static JsonKinds ReadKinds(SchemaSource source, JsonElement value, string path)
    {
        var kinds = value.ValueKind switch
        {
            JsonValueKind.String => Kind(value, path),
            JsonValueKind.Array when value.GetArrayLength() > 0 => value.EnumerateArray().Aggregate(JsonKinds.None, (kinds, name) => kinds | Kind(name, path)),
            _ => throw Fail(path, "must be the name of a type, or an array of such names."),
        };
        var isNullable = source.Schema.TryGetProperty("nullable", out var nullable) && nullable.ValueKind == JsonValueKind.True;
        return isNullable ? kinds | JsonKinds.Null : kinds;
    }

    private static JsonKinds Kind(JsonElement name, string path) => (name.ValueKind == JsonValueKind.String ? name.GetString() : null) switch
    {
        "null" => JsonKinds.Null,
        "boolean" => JsonKinds.Boolean,
        "integer" => JsonKinds.Integer,
        "number" => JsonKinds.Number,
        "string" => JsonKinds.String,
        "array" => JsonKinds.Array,
        "object" => JsonKinds.Object,
        _ => throw Fail(path, $"has {JsonText.Shown(name)}, which is no type: use null, boolean, integer, number, string, array or object."),
    };

    private static bool AddNumber(SchemaConstraints constraints, SchemaSource source, JsonProperty member)
    {
        var path = $"{source.Path}.{member.Name}";
        switch (member.Name)
        {
            case "minimum" when ReadBound(member.Value, path, isUpper: false) is { } minimum:
                var isLowerOpen = IsTrue(source.Schema, "exclusiveMinimum");
                constraints.Min = NumberBound.Higher(constraints.Min, new NumberBound(minimum, isLowerOpen));
                return true;
            case "maximum" when ReadBound(member.Value, path, isUpper: true) is { } maximum:
                var isUpperOpen = IsTrue(source.Schema, "exclusiveMaximum");
                constraints.Max = NumberBound.Lower(constraints.Max, new NumberBound(maximum, isUpperOpen));
                return true;
            case "exclusiveMinimum" or "exclusiveMaximum" when member.Value.ValueKind is JsonValueKind.True or JsonValueKind.False:
                // Draft 4 has it as a flag of minimum and maximum.
                return true;
            case "exclusiveMinimum" when ReadBound(member.Value, path, isUpper: false) is { } above:
                constraints.Min = NumberBound.Higher(constraints.Min, new NumberBound(above, IsExclusive: true));
                return true;
            case "exclusiveMaximum" when ReadBound(member.Value, path, isUpper: true) is { } below:
                constraints.Max = NumberBound.Lower(constraints.Max, new NumberBound(below, IsExclusive: true));
                return true;
            case "multipleOf":
                AddMultipleOf(constraints, member.Value, path);
                return true;
            default:
                return member.Name is "minimum" or "maximum" or "exclusiveMinimum" or "exclusiveMaximum";
        }
    }

    private static void AddMultipleOf(SchemaConstraints constraints, JsonElement value, string path)
    {
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDecimal(out var number) || number <= 0)
        {
            throw Fail(path, "must be a number above 0.");
        }

        if (number != decimal.Floor(number) || number > MultipleOfMax)
        {
            throw Fail(path, $"is {value.GetRawText()}; only whole numbers up to {MultipleOfMax} are held, since binary fractions have no exact multiples.");
        }

        var step = (long)number;
        var both = constraints.MultipleOf == 0 ? step : constraints.MultipleOf / (long)BigInteger.GreatestCommonDivisor(constraints.MultipleOf, step) * step;
        constraints.MultipleOf = both <= MultipleOfMax ? both : throw Fail(path, $"and its neighbours have {both} as their least common multiple; at most {MultipleOfMax} is held.");
        constraints.Kinds &= ~JsonKinds.Fraction;
    }

    /// <summary>A bound; null where it is so far out that no number here reaches it.</summary>
    private static decimal? ReadBound(JsonElement value, string path, bool isUpper)
    {
        if (value.ValueKind != JsonValueKind.Number)
        {
            throw Fail(path, "must be a number.");
        }

        if (value.TryGetDecimal(out var bound) && Math.Abs(bound) < 1e27m)
        {
            return bound;
        }

        return value.GetDouble() > 0 == isUpper ? null : throw Fail(path, "leaves numbers only that are too large to be written here.");
    }

    private static bool AddString(SchemaConstraints constraints, SchemaSource source, JsonProperty member)
    {
        var path = $"{source.Path}.{member.Name}";
        switch (member.Name)
        {
            case "minLength":
                constraints.MinLength = Math.Max(constraints.MinLength, ReadCount(member.Value, path));
                return true;
            case "maxLength":
                constraints.MaxLength = Least(constraints.MaxLength, ReadCount(member.Value, path));
                return true;
            case "pattern":
                constraints.Texts.Add((ReadText(member.Value, path), IsFormat: false, path));
                return true;
            case "format":
                var format = ReadText(member.Value, path);
                if (!StringFormats.IsOfNumbers(format))
                {
                    constraints.Texts.Add((StringFormats.Regex(format) ?? throw Fail(path, $"'{format}' is not held: use {StringFormats.Names}, or a pattern."), IsFormat: true, path));
                }

                return true;
            default:
                return false;
        }
    }

    private static bool IsTrue(JsonElement schema, string keyword) => schema.TryGetProperty(keyword, out var value) && value.ValueKind == JsonValueKind.True;

    private static string ReadText(JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Fail(path, "must be a string.");

    private static int ReadCount(JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var count) && count >= 0 && count == decimal.Floor(count)
            ? (int)Math.Min(count, int.MaxValue - 1)
            : throw Fail(path, "must be a whole number of at least 0.");

    private static int? Least(int? left, int right) => left is { } other ? Math.Min(other, right) : right;

    private static GrammarException Fail(string path, string reason) => new(path, reason);

    /// <summary>Follows a reference within the document: <c>#</c>, a JSON pointer, or the name of an anchor.</summary>
    private SchemaSource Resolve(JsonElement reference, string path)
    {
        var text = ReadText(reference, $"{path}.$ref");
        if (!text.StartsWith('#'))
        {
            throw Fail($"{path}.$ref", $"refers to '{text}', which is not in this schema: only references that begin with # are followed.");
        }

        var at = new SchemaSource(root, "");
        foreach (var step in text.Length > 1 ? text[1..].Split('/').Skip(1) : [])
        {
            var name = Uri.UnescapeDataString(step).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            at = at.Schema.ValueKind switch
            {
                JsonValueKind.Object when at.Schema.TryGetProperty(name, out var value) => at.Under(value, name),
                JsonValueKind.Array when int.TryParse(name, out var index) && index >= 0 && index < at.Schema.GetArrayLength() =>
                    new SchemaSource(at.Schema[index], $"{at.Path}[{index}]"),
                _ => throw Fail($"{path}.$ref", $"refers to '{text}', and nothing stands there."),
            };
        }

        return text.Length == 1 || text[1] == '/' ? at : throw Fail($"{path}.$ref", $"refers to the anchor '{text}': use a pointer such as #/$defs/name.");
    }
}
