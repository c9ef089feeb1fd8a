using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using Serving.Gateway.Http;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Serving.Gateway.OpenApi;

/// <summary>
/// What the gateway serves, as OpenAPI has it. People write it in YAML, a file for each part of the API in the folder <c>Document</c>; here the files become one JSON text.
/// </summary>
internal static class OpenApiDocument
{
    private const string MergeKey = "<<";

    private static readonly Lazy<byte[]> _json = new(() => System.Text.Encoding.UTF8.GetBytes(Read().ToJsonString(ApiJson.Nodes)));

    /// <summary>UTF-8.</summary>
    public static byte[] Json => _json.Value;

    private static JsonObject Read()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var document = new JsonObject();
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.EndsWith(".yaml", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var file = new StreamReader(assembly.GetManifestResourceStream(name)!);
            var yaml = new YamlStream();
            yaml.Load(file);
            Add((JsonObject)ToJson(yaml.Documents[0].RootNode)!, document);
        }

        return document;
    }

    /// <summary>Adds what a file has: objects that others have too become one.</summary>
    /// <exception cref="ArgumentException">Two files have something else in one place.</exception>
    private static void Add(JsonObject part, JsonObject whole)
    {
        foreach (var (name, value) in part.ToArray())
        {
            part.Remove(name);
            if (value is JsonObject inner && whole[name] is JsonObject known)
            {
                Add(inner, known);
            }
            else
            {
                whole.Add(name, value);
            }
        }
    }

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode mapping => ToJson(mapping),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Select(ToJson)]),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: "null" } => null,
        YamlScalarNode { Style: ScalarStyle.Plain, Value: "true" or "false" } flag => flag.Value == "true",
        YamlScalarNode { Style: ScalarStyle.Plain } plain when decimal.TryParse(plain.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        YamlScalarNode text => text.Value,
        _ => throw new InvalidOperationException($"{node.Start}: {node.NodeType} is nothing that JSON has."),
    };

    /// <summary>With the members that a merge key adds, unless the mapping has its own.</summary>
    private static JsonObject ToJson(YamlMappingNode mapping)
    {
        var members = new JsonObject();
        foreach (var (key, value) in mapping.Where(member => Name(member.Key) != MergeKey))
        {
            members.Add(Name(key), ToJson(value));
        }

        foreach (var merged in mapping.Where(member => Name(member.Key) == MergeKey).SelectMany(member => (YamlMappingNode)member.Value))
        {
            members.TryAdd(Name(merged.Key), ToJson(merged.Value));
        }

        return members;
    }

    private static string Name(YamlNode key) => ((YamlScalarNode)key).Value!;
}
