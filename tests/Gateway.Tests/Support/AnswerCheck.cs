using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using Serving.Gateway.Tests.OpenApi;

namespace Serving.Gateway.Tests.Support;

/// <summary>
/// Holds every answer that a test gets to the OpenAPI document: its status, its headers, its type, and its JSON, in which nothing may be that is not documented.
/// </summary>
internal sealed class AnswerCheck(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private const string EventStream = "text/event-stream";

    private static readonly string[] _headers = ["x-request-id", "x-serving-", "x-ratelimit-", "retry-after", "www-authenticate"];
    private static readonly ConcurrentDictionary<string, JsonSchema> _schemas = [];
    private static readonly JsonNode _parts = Strict(JsonNode.Parse(Here(Documented.Root["components"]!["schemas"]!)))!;

    /// <summary>Checks a stream that has been read to its end.</summary>
    public static async Task StreamAsync(HttpResponseMessage response)
    {
        if (response.Content.Headers.ContentType?.MediaType == EventStream && Find(response.RequestMessage!) is { } operation)
        {
            var events = (await response.Content.ReadAsStringAsync()).Split('\n').Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => line[6..]);
            foreach (var data in events.Where(data => data != "[DONE]"))
            {
                IsDocumented(operation, response, data);
            }
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (Find(request) is { } operation)
        {
            HasDocumentedHeaders(operation, response);
            if (response.Content.Headers.ContentType?.MediaType == "application/json")
            {
                await response.Content.LoadIntoBufferAsync(cancellationToken);
                IsDocumented(operation, response, await response.Content.ReadAsStringAsync(cancellationToken));
            }
        }

        return response;
    }

    /// <summary>The operation that a request means; null: there is none, and the answer says so.</summary>
    private static DocumentedOperation? Find(HttpRequestMessage request)
    {
        var path = request.RequestUri!.AbsolutePath.Split('/');
        return Documented.Operations
            .Where(operation => operation.Method == request.Method.Method && Fits(operation.Path.Split('/')))
            .MinBy(operation => operation.Path.Count(unit => unit == '{'));

        bool Fits(string[] template) => template.Length == path.Length && template.Zip(path).All(pair => pair.First == pair.Second || pair.First.StartsWith('{'));
    }

    private static void HasDocumentedHeaders(DocumentedOperation operation, HttpResponseMessage response)
    {
        var documented = Response(operation, response)["headers"]?.AsObject() ?? [];
        var sent = response.Headers.Select(header => header.Key.ToLowerInvariant()).Where(name => _headers.Any(known => name.StartsWith(known, StringComparison.Ordinal))).ToList();
        Assert.True(
            sent.All(documented.ContainsKey) && documented.Where(header => (bool?)Documented.Resolve(header.Value!)["required"] == true).All(header => sent.Contains(header.Key)),
            $"{operation.Method} {operation.Path} {(int)response.StatusCode} has the headers {string.Join(", ", sent)}, of which others are documented: {string.Join(", ", documented.Select(header => header.Key))}");
    }

    private static void IsDocumented(DocumentedOperation operation, HttpResponseMessage response, string json)
    {
        var type = response.Content.Headers.ContentType!.MediaType!;
        var place = $"{operation.Method} {operation.Path} {(int)response.StatusCode} {type}";
        var documented = Response(operation, response)["content"]?[type];
        Assert.True(documented is not null, $"{place} is not documented");
        using var value = JsonDocument.Parse(json);
        var schema = _schemas.GetOrAdd(place, _ => Schema(documented["schema"]!));
        var result = schema.Evaluate(value.RootElement, new EvaluationOptions { OutputFormat = OutputFormat.List });
        Assert.True(result.IsValid, $"{place} is not as documented: {string.Join("; ", Faults(result))} in {json}");
    }

    private static JsonObject Response(DocumentedOperation operation, HttpResponseMessage response)
    {
        var documented = operation.Response((int)response.StatusCode);
        Assert.True(documented is not null, $"{operation.Method} {operation.Path} {(int)response.StatusCode} is not documented");
        return documented;
    }

    private static IEnumerable<string> Faults(EvaluationResults result) =>
        from detail in result.Details ?? []
        from error in detail.Errors ?? []
        select $"{detail.InstanceLocation}: {error.Value}";

    private static JsonSchema Schema(JsonNode documented)
    {
        var schema = Strict(JsonNode.Parse(Here(documented)))!.AsObject();
        schema["$defs"] = _parts.DeepClone();
        return JsonSchema.FromText(schema.ToJsonString());
    }

    /// <summary>The JSON of a schema that refers to others beside it.</summary>
    private static string Here(JsonNode schema) => schema.ToJsonString().Replace("#/components/schemas/", "#/$defs/", StringComparison.Ordinal);

    /// <summary>A schema whose objects may have nothing but what it says. Clients get it without that: what is new must not break them.</summary>
    private static JsonNode? Strict(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject schema:
                // A word of OpenAPI's, not of JSON Schema's.
                schema.Remove("discriminator");
                foreach (var (name, member) in schema.Where(member => member.Key != "allOf"))
                {
                    Strict(member);
                }

                if (schema["properties"] is JsonObject && schema["additionalProperties"] is null)
                {
                    schema["additionalProperties"] = false;
                }

                break;
            case JsonArray items:
                foreach (var item in items)
                {
                    Strict(item);
                }

                break;
        }

        return node;
    }
}
