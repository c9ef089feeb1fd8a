using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Serving.Gateway.Http;
using Serving.Storage;
using Serving.Storage.Configuration;
using Serving.Storage.Documents;

namespace Serving.Gateway.Responses;

/// <summary>The responses that are kept, each with the items that it answers.</summary>
internal sealed class StoredResponses(StorageServices storage, IOptions<StorageOptions> options, TimeProvider time)
{
    private const string Response = "response";
    private const string Items = "items";

    private readonly DocumentCollection<StoredResponse> _responses = new("response", StoredResponseJson.Default.StoredResponse, storage);

    /// <summary>Whether a response to items so long could be stored; null: it could.</summary>
    public async ValueTask<ApiError?> CheckRoomAsync(string tenant, int itemsBytes) =>
        await _responses.CheckRoomAsync(tenant, itemsBytes) is { } exceeded ? ApiError.NoRoom(exceeded) : null;

    /// <summary>Stores a response. There is room for it: that was asked before the work was done.</summary>
    /// <param name="response">The <c>response</c> object.</param>
    /// <param name="items">What it answers, an array.</param>
    public async ValueTask<ApiError?> AddAsync(
        string tenant, ResponseId id, string status, ReadOnlyMemory<byte> response, ReadOnlyMemory<byte> items, CancellationToken cancellationToken)
    {
        try
        {
            var bytes = await WriteAsync(tenant, id, response, items, cancellationToken);
            await _responses.AddAsync(tenant, id.Value, new StoredResponse(status), time.GetUtcNow() + options.Value.Retention, bytes, isForced: true);
            return null;
        }
        catch (Exception exception) when (exception is StorageUnavailableException or IOException)
        {
            return ApiError.Unavailable($"The response was to be stored, and that failed: {exception.Message}");
        }
    }

    /// <summary>Replaces a stored response by what has become of it, unless it has ended or is gone.</summary>
    public async Task EndAsync(
        string tenant, ResponseId id, string status, ReadOnlyMemory<byte> response, ReadOnlyMemory<byte> items, CancellationToken cancellationToken)
    {
        if (await _responses.GetAsync(tenant, id.Value) is not { Value: { } before } || !IsGoingOn(before.Status))
        {
            return;
        }

        await WriteAsync(tenant, id, response, items, cancellationToken);
        await _responses.UpdateAsync(tenant, id.Value, known => IsGoingOn(known.Status) ? new StoredResponse(status) : null);
    }

    /// <summary>Ends a response that goes on, in a status; null: the tenant has no such one.</summary>
    public async Task<string?> MarkAsync(string tenant, string id, string status) =>
        (await _responses.UpdateAsync(tenant, id, known => IsGoingOn(known.Status) ? new StoredResponse(status) : null))?.Value.Status;

    /// <summary>The response; null: the tenant has no such one.</summary>
    public async Task<JsonObject?> GetAsync(string tenant, string id, CancellationToken cancellationToken)
    {
        if (await _responses.GetAsync(tenant, id) is not { } entry || await ContentsAsync(tenant, id, cancellationToken) is not { } contents)
        {
            return null;
        }

        var response = contents[Response]!.AsObject();
        contents.Remove(Response);
        response["status"] = entry.Value.Status;
        return response;
    }

    /// <summary>The items that a response answers; null: the tenant has no such one.</summary>
    public async Task<JsonArray?> ItemsAsync(string tenant, string id, CancellationToken cancellationToken) =>
        (await ContentsAsync(tenant, id, cancellationToken))?[Items]!.AsArray();

    /// <summary>The items that a response answers and those of its answer; null: the tenant has no such one that has ended.</summary>
    public async Task<JsonDocument?> ItemsAfterAsync(string tenant, string id, CancellationToken cancellationToken)
    {
        if (await _responses.GetAsync(tenant, id) is not { } entry
            || IsGoingOn(entry.Value.Status)
            || await ContentsAsync(tenant, id, cancellationToken) is not { } contents)
        {
            return null;
        }

        var items = contents[Items]!.AsArray();
        foreach (var item in contents[Response]!["output"]!.AsArray())
        {
            items.Add(item!.DeepClone());
        }

        return JsonDocument.Parse(items.ToJsonString(ApiJson.Nodes));
    }

    /// <returns>False: the tenant has no such response.</returns>
    public Task<bool> DeleteAsync(string tenant, string id) => _responses.DeleteAsync(tenant, id);

    public static bool IsGoingOn(string status) => status is "queued" or "in_progress";

    private async Task<int> WriteAsync(string tenant, ResponseId id, ReadOnlyMemory<byte> response, ReadOnlyMemory<byte> items, CancellationToken cancellationToken)
    {
        var contents = new ArrayBufferWriter<byte>(response.Length + items.Length + 64);
        using (var json = new Utf8JsonWriter(contents, ApiJson.WriterOptions))
        {
            json.WriteStartObject();
            json.WritePropertyName(Response);
            json.WriteRawValue(response.Span, skipInputValidation: true);
            json.WritePropertyName(Items);
            json.WriteRawValue(items.Span, skipInputValidation: true);
            json.WriteEndObject();
        }

        await _responses.WriteContentsAsync(tenant, id.Value, contents.WrittenMemory, cancellationToken);
        return contents.WrittenCount;
    }

    private async Task<JsonObject?> ContentsAsync(string tenant, string id, CancellationToken cancellationToken) =>
        await _responses.ReadContentsAsync(tenant, id, cancellationToken) is { } contents ? JsonNode.Parse(contents)!.AsObject() : null;
}
