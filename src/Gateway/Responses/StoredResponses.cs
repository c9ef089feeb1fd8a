using System.Text.Json;
using System.Text.Json.Nodes;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;
using Serving.Storage;

namespace Serving.Gateway.Responses;

/// <summary>The responses that are kept, each with the items that it answers.</summary>
internal sealed class StoredResponses(StorageServices storage, TimeProvider time)
{
    private readonly StoredAnswers<StoredResponse> _responses = new("response", StoredResponseJson.Default.StoredResponse, "response", "items", storage, time);

    /// <inheritdoc cref="StoredAnswers{T}.CheckRoomAsync"/>
    public ValueTask<ApiError?> CheckRoomAsync(string tenant, int itemsBytes) => _responses.CheckRoomAsync(tenant, itemsBytes);

    /// <inheritdoc cref="StoredAnswers{T}.AddAsync"/>
    /// <param name="response">The <c>response</c> object.</param>
    /// <param name="items">What it answers, an array.</param>
    public ValueTask<ApiError?> AddAsync(
        string tenant, ResponseId id, string status, ReadOnlyMemory<byte> response, ReadOnlyMemory<byte> items, CancellationToken cancellationToken) =>
        _responses.AddAsync(tenant, id.Value, new StoredResponse(status), response, items, cancellationToken);

    /// <summary>Replaces a stored response by what has become of it, unless it has ended or is gone.</summary>
    public async Task EndAsync(
        string tenant, ResponseId id, string status, ReadOnlyMemory<byte> response, ReadOnlyMemory<byte> items, CancellationToken cancellationToken)
    {
        if (await _responses.Documents.GetAsync(tenant, id.Value) is not { Value: { } before } || !IsGoingOn(before.Status))
        {
            return;
        }

        await _responses.WriteAsync(tenant, id.Value, response, items, cancellationToken);
        await _responses.Documents.UpdateAsync(tenant, id.Value, known => IsGoingOn(known.Status) ? new StoredResponse(status) : null);
    }

    /// <summary>Ends a response that goes on, in a status; null: the tenant has no such one.</summary>
    public async Task<string?> MarkAsync(string tenant, string id, string status) =>
        (await _responses.Documents.UpdateAsync(tenant, id, known => IsGoingOn(known.Status) ? new StoredResponse(status) : null))?.Value.Status;

    /// <summary>False also: the tenant has no such response.</summary>
    public async Task<bool> IsGoingOnAsync(string tenant, string id) => await _responses.Documents.GetAsync(tenant, id) is { Value.Status: var status } && IsGoingOn(status);

    /// <summary>The response; null: the tenant has no such one.</summary>
    public async Task<JsonObject?> GetAsync(string tenant, string id, CancellationToken cancellationToken)
    {
        if (await _responses.Documents.GetAsync(tenant, id) is not { } entry || await _responses.ReadAsync(tenant, entry, cancellationToken) is not { Answer: var response })
        {
            return null;
        }

        response["status"] = entry.Value.Status;
        return response;
    }

    /// <summary>The items that a response answers; null: the tenant has no such one.</summary>
    public async Task<JsonArray?> ItemsAsync(string tenant, string id, CancellationToken cancellationToken) =>
        (await _responses.ReadAsync(tenant, id, cancellationToken))?.Question;

    /// <summary>The items that a response answers and those of its answer; null: the tenant has no such one that has ended.</summary>
    public async Task<JsonDocument?> ItemsAfterAsync(string tenant, string id, CancellationToken cancellationToken)
    {
        if (await _responses.Documents.GetAsync(tenant, id) is not { } entry
            || IsGoingOn(entry.Value.Status)
            || await _responses.ReadAsync(tenant, entry, cancellationToken) is not var (response, items))
        {
            return null;
        }

        foreach (var item in response["output"]!.AsArray())
        {
            items.Add(item!.DeepClone());
        }

        return JsonDocument.Parse(items.ToJsonString(ApiJson.Nodes));
    }

    /// <returns>False: the tenant has no such response.</returns>
    public Task<bool> DeleteAsync(string tenant, string id) => _responses.Documents.DeleteAsync(tenant, id);

    public static bool IsGoingOn(string status) => status is "queued" or "in_progress";
}
