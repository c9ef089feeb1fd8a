using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serving.Gateway.Tests.OpenApi;

/// <summary>A value of a schema, or one that is out of it in one place.</summary>
/// <param name="Path">What is tried out: <c>messages[0].role</c>.</param>
internal sealed record SchemaCase(string Path, JsonNode? Value, bool IsValid);

/// <summary>Values made from a schema: the ends of each range, each word of an enumeration, each alternative, and what is just beyond.</summary>
internal static class SchemaCases
{
    private static readonly (string Type, JsonNode Value)[] _ofEachType =
        [("integer", 7), ("string", "x"), ("boolean", true), ("array", new JsonArray()), ("object", new JsonObject { ["a"] = 1 })];

    /// <param name="instance">A value that is known to be right where it stands, which is varied; null: there is none.</param>
    public static IEnumerable<SchemaCase> Of(JsonNode node, JsonNode? instance, string path)
    {
        var schema = Documented.Resolve(node);
        return Values(schema, instance, path).Concat(OfWrongTypes(schema, path));
    }

    private static IEnumerable<SchemaCase> Values(JsonObject schema, JsonNode? instance, string path)
    {
        if (schema.ContainsKey("const"))
        {
            return OfWords([schema["const"]!.DeepClone()], path);
        }

        if (schema["enum"] is JsonArray words)
        {
            return OfWords(words, path);
        }

        if (schema["oneOf"] is JsonArray alternatives)
        {
            return alternatives.Where(one => instance is null || Fits(one!, instance)).SelectMany(one => Values(Documented.Resolve(one!), instance, path));
        }

        if (instance is null && schema["examples"] is JsonArray examples && schema["pattern"] is null)
        {
            return examples.Select(example => Right(path, example));
        }

        return Types(schema) switch
        {
            ["object"] => OfObject(schema, instance as JsonObject, path),
            ["array"] => OfArray(schema, instance as JsonArray, path),
            ["string"] => OfString(schema, instance, path),
            ["integer" or "number"] => OfNumber(schema, path),
            ["boolean"] => [Right(path, true), Right(path, false)],
            ["null"] => [Right(path, null)],
            _ => [],
        };
    }

    private static IEnumerable<SchemaCase> OfWords(JsonArray words, string path)
    {
        foreach (var word in words)
        {
            yield return Right(path, word);
        }

        yield return Wrong(path, words[0]!.GetValueKind() switch
        {
            JsonValueKind.String => $"{words[0]}x",
            JsonValueKind.Number => (int)words[0]! + 1,
            _ => !(bool)words[0]!,
        });
    }

    private static IEnumerable<SchemaCase> OfObject(JsonObject schema, JsonObject? instance, string path)
    {
        var known = instance ?? Least(schema)!.AsObject();
        foreach (var (name, property) in Documented.Properties(schema))
        {
            foreach (var one in Of(property!, known[name], path.Length == 0 ? name : $"{path}.{name}"))
            {
                yield return one with { Value = With(known, name, one.Value) };
            }
        }

        foreach (var name in Documented.Required(schema))
        {
            yield return Wrong(path.Length == 0 ? name : path, Without(known, name));
        }

        foreach (var one in OfMap(schema, path))
        {
            yield return one;
        }
    }

    /// <summary>Members by names that the client chooses.</summary>
    private static IEnumerable<SchemaCase> OfMap(JsonObject schema, string path)
    {
        var names = schema["propertyNames"];
        if (schema["additionalProperties"] is JsonObject value)
        {
            foreach (var one in Of(value, null, $"{path}.5"))
            {
                yield return one with { Value = new JsonObject { ["5"] = one.Value } };
            }
        }

        if ((int?)schema["maxProperties"] is { } max)
        {
            yield return Right(path, Members(max));
            yield return Wrong(path, Members(max + 1));
        }

        if ((int?)names?["maxLength"] is { } lengthMax)
        {
            yield return Right(path, new JsonObject { [new string('n', lengthMax)] = Value() });
            yield return Wrong(path, new JsonObject { [new string('n', lengthMax + 1)] = Value() });
        }

        if (names?["pattern"] is not null)
        {
            yield return Wrong(path, new JsonObject { ["no number"] = Value() });
        }

        JsonNode? Value() => schema["additionalProperties"] is JsonObject any ? Least(any) : 0;

        JsonObject Members(int count) => new(Enumerable.Range(0, count).Select(i => KeyValuePair.Create($"{i}", Value())));
    }

    private static IEnumerable<SchemaCase> OfArray(JsonObject schema, JsonArray? instance, string path)
    {
        var (min, max) = ((int?)schema["minItems"] ?? 0, (int?)schema["maxItems"]);
        yield return min > 0 ? Wrong(path, new JsonArray()) : Right(path, new JsonArray());
        if (max is { } most)
        {
            yield return Right(path, Items(schema, instance, most));
            yield return Wrong(path, Items(schema, instance, most + 1));
        }

        if (schema["items"] is not { } items || max == 0)
        {
            yield break;
        }

        var known = instance ?? Items(schema, null, 1);
        for (var i = 0; i < known.Count; i++)
        {
            foreach (var one in Of(items, known[i], $"{path}[{i}]"))
            {
                var array = known.DeepClone().AsArray();
                array[i] = one.Value?.DeepClone();
                yield return one with { Value = array };
            }
        }
    }

    private static IEnumerable<SchemaCase> OfString(JsonObject schema, JsonNode? instance, string path)
    {
        yield return Right(path, instance ?? Least(schema));
        if ((int?)schema["minLength"] is 1)
        {
            yield return Wrong(path, "");
        }

        if ((int?)schema["maxLength"] is { } max)
        {
            yield return Right(path, new string('x', max));
            yield return Wrong(path, new string('x', max + 1));
        }

        if (schema["pattern"] is not null)
        {
            yield return Wrong(path, "not a name");
            yield return Wrong(path, "");
            yield return Wrong(path, new string('x', 65));
        }
    }

    private static IEnumerable<SchemaCase> OfNumber(JsonObject schema, string path)
    {
        var isInteger = Types(schema) is ["integer"];
        var (least, most) = (string?)schema["format"] switch
        {
            "int32" => (int.MinValue, int.MaxValue),
            "int64" => (long.MinValue, long.MaxValue),
            _ => ((decimal?)null, (decimal?)null),
        };
        var step = isInteger ? 1 : 0.001m;
        if (((decimal?)schema["minimum"] ?? least) is { } min)
        {
            yield return Right(path, min);
            yield return Wrong(path, min - step);
        }

        if (((decimal?)schema["maximum"] ?? most) is { } max)
        {
            yield return Right(path, max);
            yield return Wrong(path, max + step);
        }

        if ((decimal?)schema["exclusiveMinimum"] is { } bound)
        {
            yield return Right(path, bound + step);
            yield return Wrong(path, bound);
        }

        if (isInteger)
        {
            yield return Wrong(path, 1.5);
        }
    }

    /// <summary>A value of a type that is none of the schema's.</summary>
    private static IEnumerable<SchemaCase> OfWrongTypes(JsonObject schema, string path)
    {
        var types = schema["oneOf"] is JsonArray alternatives ? [.. alternatives.SelectMany(one => Types(Documented.Resolve(one!)))] : Types(schema);
        if (types.Length == 0 || path.Length == 0)
        {
            return [];
        }

        return [Wrong(path, _ofEachType.First(one => !types.Contains(one.Type) && !(one.Type == "integer" && types.Contains("number"))).Value)];
    }

    private static string[] Types(JsonObject schema) => schema["type"] switch
    {
        JsonArray several => [.. several.Select(type => (string)type!)],
        { } one => [(string)one!],
        null => schema.ContainsKey("allOf") ? ["object"] : [],
    };

    /// <summary>Whether a value is one of an alternative, as far as its type and the words in it tell.</summary>
    private static bool Fits(JsonNode node, JsonNode value)
    {
        var schema = Documented.Resolve(node);
        return schema["oneOf"] is JsonArray alternatives
            ? alternatives.Any(one => Fits(one!, value))
            : value switch
            {
                JsonObject members => Types(schema).Contains("object")
                    && Documented.Required(schema).All(members.ContainsKey)
                    && Documented.Properties(schema).All(property => members[property.Key] is not { } member || Fits(property.Value!, member)),
                JsonArray items => Types(schema).Contains("array") && (items.Count == 0 || Fits(schema["items"]!, items[0]!)),
                _ => (!schema.ContainsKey("const") || JsonNode.DeepEquals(schema["const"], value))
                    && (schema["enum"] is not JsonArray words || words.Any(word => JsonNode.DeepEquals(word, value)))
                    && (Types(schema) is [] || Types(schema).Contains(TypeOf(value))),
            };
    }

    private static string TypeOf(JsonNode value) => value.GetValueKind() switch
    {
        JsonValueKind.String => "string",
        JsonValueKind.Number => "integer",
        _ => "boolean",
    };

    /// <summary>A value with no more than what must be there.</summary>
    private static JsonNode? Least(JsonNode node)
    {
        var schema = Documented.Resolve(node);
        if ((schema["const"] ?? schema["enum"]?[0] ?? schema["examples"]?[0]) is { } given)
        {
            return given.DeepClone();
        }

        return schema["oneOf"] is JsonArray alternatives
            ? Least(alternatives[0]!)
            : Types(schema)[0] switch
            {
                "object" => new JsonObject(
                    Documented.Required(schema).Select(name => KeyValuePair.Create(name, Least(Documented.Properties(schema).First(property => property.Key == name).Value!)))),
                "array" => Items(schema, null, (int?)schema["minItems"] ?? 0),
                "string" => "x",
                "boolean" => true,
                _ => (decimal?)schema["minimum"] ?? 1,
            };
    }

    /// <summary>So many elements, with names of their own where they have names.</summary>
    private static JsonArray Items(JsonObject schema, JsonArray? instance, int count) => [.. Enumerable.Range(0, count).Select(i =>
    {
        var item = instance is [{ } first, ..] ? first.DeepClone() : schema["items"] is { } items ? Least(items) : 0;
        var named = item is JsonObject owner ? owner["function"] as JsonObject ?? owner : null;
        if (count > 1 && named?["name"] is { } name)
        {
            named["name"] = $"{name}{i}";
        }

        return item;
    })];

    private static JsonObject With(JsonObject known, string name, JsonNode? value)
    {
        var copy = known.DeepClone().AsObject();
        copy[name] = value?.DeepClone();
        return copy;
    }

    private static JsonObject Without(JsonObject known, string name)
    {
        var copy = known.DeepClone().AsObject();
        copy.Remove(name);
        return copy;
    }

    private static SchemaCase Right(string path, JsonNode? value) => new(path, value?.DeepClone(), IsValid: true);

    private static SchemaCase Wrong(string path, JsonNode? value) => new(path, value?.DeepClone(), IsValid: false);
}
