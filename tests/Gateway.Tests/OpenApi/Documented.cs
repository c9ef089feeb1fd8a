using System.Text.Json.Nodes;
using Serving.Gateway.OpenApi;

namespace Serving.Gateway.Tests.OpenApi;

/// <summary>What <c>/openapi.json</c> says, for tests that hold the gateway to it.</summary>
internal static class Documented
{
    private const string Json = "application/json";

    private static readonly string[] _methods = ["get", "post", "delete"];

    public static JsonObject Root { get; } = JsonNode.Parse(OpenApiDocument.Json)!.AsObject();

    public static IReadOnlyList<DocumentedOperation> Operations { get; } =
    [
        .. from path in Root["paths"]!.AsObject()
           from member in path.Value!.AsObject()
           where _methods.Contains(member.Key)
           select new DocumentedOperation(member.Key.ToUpperInvariant(), path.Key, path.Value.AsObject(), member.Value!.AsObject()),
    ];

    /// <summary>The JSON bodies that requests may have.</summary>
    public static IReadOnlyList<DocumentedBody> Bodies { get; } =
    [
        .. from operation in Operations
           let content = operation.Json["requestBody"]?["content"]?[Json]
           where content is not null
           select new DocumentedBody(operation.Path, content["schema"]!.AsObject(), [.. content["examples"]!.AsObject().Select(example => example.Value!["value"]!.AsObject())]),
    ];

    /// <summary>What a node is or refers to.</summary>
    public static JsonObject Resolve(JsonNode node) => node["$ref"] is { } reference ? Resolve(At((string)reference!)) : node.AsObject();

    public static JsonNode At(string pointer) =>
        pointer[2..].Split('/').Aggregate((JsonNode)Root, (node, name) => node[name.Replace("~1", "/").Replace("~0", "~")]!);

    /// <summary>The properties of an object, those of its parts among them.</summary>
    public static IEnumerable<KeyValuePair<string, JsonNode?>> Properties(JsonNode schema) =>
        Parts(Resolve(schema)).SelectMany(Properties).Concat(Resolve(schema)["properties"]?.AsObject() ?? []);

    public static IEnumerable<string> Required(JsonNode schema) =>
        Parts(Resolve(schema)).SelectMany(Required).Concat(Resolve(schema)["required"]?.AsArray().Select(name => (string)name!) ?? []);

    private static IEnumerable<JsonNode> Parts(JsonObject schema) => schema["allOf"]?.AsArray().Select(part => part!) ?? [];
}

/// <param name="Item">What its path's operations have in common.</param>
internal sealed record DocumentedOperation(string Method, string Path, JsonObject Item, JsonObject Json)
{
    public IEnumerable<JsonObject> Parameters =>
        new[] { Item, Json }.SelectMany(owner => owner["parameters"]?.AsArray() ?? []).Select(parameter => Documented.Resolve(parameter!));

    /// <summary>How an answer with a status may look; null: no such status is documented.</summary>
    public JsonObject? Response(int status) =>
        (Json["responses"]![$"{status}"] ?? Json["responses"]!["default"]) is { } response ? Documented.Resolve(response) : null;
}

internal sealed record DocumentedBody(string Path, JsonObject Schema, IReadOnlyList<JsonObject> Examples);
