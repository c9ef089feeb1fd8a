using System.Text.Json;
using System.Text.Unicode;
using Serving.Contracts.OpenAI;
using Serving.Gateway.Http;

namespace Serving.Gateway.Batches;

/// <summary>A request of a batch: one line of its input.</summary>
/// <param name="Number">The line, from 1.</param>
/// <param name="CustomId">The client's name for it.</param>
internal sealed record BatchLine(int Number, string CustomId, JsonDocument Document) : IDisposable
{
    private const int CustomIdLengthMax = 512;
    private const int RouteLengthMax = 256;

    private static readonly JsonDocumentOptions _strict = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    public JsonElement Body => Document.RootElement.GetProperty("body");

    /// <summary>The request's model, as far as one can be seen.</summary>
    public string? Model => Body.TryGetProperty("model", out var model) ? new RequestFields(Body).Text("model", model) : null;

    public void Dispose() => Document.Dispose();

    /// <summary>The line, or what is wrong with it.</summary>
    /// <param name="route">The batch's route.</param>
    public static (BatchLine? Line, OpenAiBatchError? Error) Parse(int number, ReadOnlyMemory<byte> text, string route)
    {
        JsonDocument document;
        try
        {
            if (!Utf8.IsValid(text.Span))
            {
                return (null, new OpenAiBatchError("invalid_json_line", "The line is not valid UTF-8.", null, number));
            }

            // A copy, because the document outlives the buffer that the line was read into.
            document = JsonDocument.Parse(text.ToArray(), _strict);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return (null, new OpenAiBatchError("invalid_json_line", $"The line is not valid JSON: {exception.Message}", null, number));
        }

        var line = Read(number, document, route, out var error);
        if (line is null)
        {
            document.Dispose();
        }

        return (line, error);
    }

    private static BatchLine? Read(int number, JsonDocument document, string route, out OpenAiBatchError? error)
    {
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            error = new OpenAiBatchError("invalid_json_line", "The line must be a JSON object.", null, number);
            return null;
        }

        var fields = new RequestFields(document.RootElement);
        var customId = fields.Text("custom_id", CustomIdLengthMax) ?? "";
        if (customId.Length == 0)
        {
            fields.Fail("custom_id", "is missing: name the request, so that its answer can be found.", "missing_required_parameter");
        }

        if (fields.Text("method", RouteLengthMax) != "POST")
        {
            fields.Fail("method", "must be POST.", "invalid_method");
        }

        if (fields.Text("url", RouteLengthMax) != route)
        {
            fields.Fail("url", $"must be {route}, the batch's endpoint.", "mismatched_url");
        }

        if (!fields.TryGet("body", out var body) || body.ValueKind != JsonValueKind.Object)
        {
            fields.Fail("body", "must be there and an object: the request.", "missing_required_parameter");
        }

        error = fields.Error is { Error: var fault } ? new OpenAiBatchError(fault.Code ?? "invalid_value", fault.Message, fault.Param, number) : null;
        return error is null ? new BatchLine(number, customId, document) : null;
    }
}
