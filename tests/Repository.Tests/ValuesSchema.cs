using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace Serving.Repository.Tests;

/// <summary>The part of JSON Schema that the chart's schema uses: properties, required, additionalProperties, items, type, enum, pattern, bounds.</summary>
internal static class ValuesSchema
{
    public static IEnumerable<string> Check(JsonElement schema, YamlNode value, string path) => value switch
    {
        YamlMappingNode map => CheckType(schema, "object", path).Concat(CheckMap(schema, map, path)),
        YamlSequenceNode list => CheckType(schema, "array", path).Concat(list.SelectMany((item, index) =>
            schema.TryGetProperty("items", out JsonElement items) ? Check(items, item, $"{path}[{index}]") : [])),
        YamlScalarNode scalar => CheckScalar(schema, scalar, path),
        _ => [$"{path} is of an unknown kind"],
    };

    private static IEnumerable<string> CheckMap(JsonElement schema, YamlMappingNode map, string path)
    {
        if (schema.TryGetProperty("required", out JsonElement required))
        {
            foreach (JsonElement name in required.EnumerateArray().Where(name => !map.Children.ContainsKey(name.GetString()!)))
            {
                yield return $"{path}.{name} is missing";
            }
        }

        if (!schema.TryGetProperty("properties", out JsonElement properties))
        {
            yield break;
        }

        foreach ((YamlNode key, YamlNode child) in map.Children)
        {
            if (!properties.TryGetProperty(key.ToString(), out JsonElement childSchema))
            {
                yield return $"{path}.{key} is unknown";
                continue;
            }

            foreach (string error in Check(childSchema, child, $"{path}.{key}"))
            {
                yield return error;
            }
        }
    }

    private static string[] CheckScalar(JsonElement schema, YamlScalarNode scalar, string path)
    {
        string text = scalar.Value ?? string.Empty;
        if (schema.TryGetProperty("enum", out JsonElement allowed))
        {
            return allowed.EnumerateArray().Any(item => item.GetString() == text) ? [] : [$"{path}: {text} is not one of {allowed}"];
        }

        string type = schema.TryGetProperty("type", out JsonElement declared) ? declared.GetString()! : "string";
        return type switch
        {
            "integer" => CheckInteger(schema, text, path),
            "boolean" => text is "true" or "false" ? [] : [$"{path}: {text} is not a boolean"],
            "string" when schema.TryGetProperty("pattern", out JsonElement pattern) && !Regex.IsMatch(text, pattern.GetString()!) =>
                [$"{path}: {text} does not match {pattern}"],
            "string" when schema.TryGetProperty("minLength", out JsonElement length) && text.Length < length.GetInt32() => [$"{path} is too short"],
            "string" => [],
            _ => [$"{path} should be of type {type}"],
        };
    }

    private static string[] CheckInteger(JsonElement schema, string text, string path)
    {
        if (!long.TryParse(text, CultureInfo.InvariantCulture, out long number))
        {
            return [$"{path}: {text} is not an integer"];
        }

        bool inside = (!schema.TryGetProperty("minimum", out JsonElement minimum) || number >= minimum.GetInt64())
            && (!schema.TryGetProperty("maximum", out JsonElement maximum) || number <= maximum.GetInt64());
        return inside ? [] : [$"{path}: {number} is out of bounds"];
    }

    private static string[] CheckType(JsonElement schema, string type, string path) =>
        schema.GetProperty("type").GetString() == type ? [] : [$"{path} should be of type {schema.GetProperty("type")}"];
}
