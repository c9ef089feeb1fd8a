using System.Text.Json.Nodes;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;
using Serving.Storage;
using Serving.Storage.Documents;

namespace Serving.Gateway.Chat.Stored;

/// <summary>The chat completions that were asked for with <c>store</c>.</summary>
internal sealed class StoredChats(StorageServices storage, TimeProvider time)
{
    private readonly StoredAnswers<StoredChat> _chats = new("chat", StoredChatJson.Default.StoredChat, "completion", "messages", storage, time);

    /// <inheritdoc cref="StoredAnswers{T}.CheckRoomAsync"/>
    public ValueTask<ApiError?> CheckRoomAsync(string tenant, int messagesBytes) => _chats.CheckRoomAsync(tenant, messagesBytes);

    /// <inheritdoc cref="StoredAnswers{T}.AddAsync"/>
    /// <param name="completion">The <c>chat.completion</c> that the client gets, or would get if it did not stream.</param>
    /// <param name="messages">The array as it was sent.</param>
    public ValueTask<ApiError?> AddAsync(
        string tenant, ChatAnswerId id, Dictionary<string, string> metadata, ReadOnlyMemory<byte> completion, ReadOnlyMemory<byte> messages, CancellationToken cancellationToken) =>
        _chats.AddAsync(tenant, id.Id, new StoredChat(id.Stamp.Model, metadata), completion, messages, cancellationToken);

    /// <summary>The completion with its labels; null: the tenant has no such one.</summary>
    public async Task<JsonObject?> GetAsync(string tenant, string id, CancellationToken cancellationToken) =>
        await _chats.Documents.GetAsync(tenant, id) is { } entry ? await ShowAsync(tenant, entry, cancellationToken) : null;

    /// <summary>The messages that a completion answers, as they were sent; null: the tenant has no such completion.</summary>
    public async Task<JsonArray?> MessagesAsync(string tenant, string id, CancellationToken cancellationToken) =>
        (await _chats.ReadAsync(tenant, id, cancellationToken))?.Question;

    /// <summary>Gives a completion other labels.</summary>
    /// <returns>The completion; null: the tenant has no such one.</returns>
    public async Task<JsonObject?> LabelAsync(string tenant, string id, Dictionary<string, string> metadata, CancellationToken cancellationToken) =>
        await _chats.Documents.UpdateAsync(tenant, id, chat => chat with { Metadata = metadata }) is { } entry ? await ShowAsync(tenant, entry, cancellationToken) : null;

    /// <returns>False: the tenant has no such completion.</returns>
    public Task<bool> DeleteAsync(string tenant, string id) => _chats.Documents.DeleteAsync(tenant, id);

    /// <summary>A page of the completions of a model, if one is given, with all of some labels.</summary>
    public async Task<(DocumentPage<StoredChat> Page, IReadOnlyList<JsonNode> Completions)> ListAsync(
        string tenant, PageRequest page, string? model, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var found = await _chats.Documents.ListAsync(tenant, page, chat =>
            (model is null || chat.Model == model)
            && labels.All(label => chat.Metadata.TryGetValue(label.Key, out var value) && value == label.Value));
        var completions = new List<JsonNode>(found.Entries.Count);
        foreach (var entry in found.Entries)
        {
            if (await ShowAsync(tenant, entry, cancellationToken) is { } completion)
            {
                completions.Add(completion);
            }
        }

        return (found, completions);
    }

    private async Task<JsonObject?> ShowAsync(string tenant, StoredEntry<StoredChat> entry, CancellationToken cancellationToken)
    {
        if (await _chats.ReadAsync(tenant, entry, cancellationToken) is not { Answer: var completion })
        {
            return null;
        }

        completion["metadata"] = new JsonObject(entry.Value.Metadata.Select(label => KeyValuePair.Create(label.Key, (JsonNode?)label.Value)));
        return completion;
    }
}
