using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;
using Serving.Storage;
using Serving.Storage.Configuration;
using Serving.Storage.Documents;

namespace Serving.Gateway.Chat.Stored;

/// <summary>The chat completions that were asked for with <c>store</c>.</summary>
internal sealed class StoredChats
{
    private readonly DocumentCollection<StoredChat> _chats;
    private readonly AnswerContents<StoredChat> _contents;
    private readonly IOptions<StorageOptions> _options;
    private readonly TimeProvider _time;

    public StoredChats(StorageServices storage, IOptions<StorageOptions> options, TimeProvider time)
    {
        _chats = new("chat", StoredChatJson.Default.StoredChat, storage);
        _contents = new(_chats, "completion", "messages");
        _options = options;
        _time = time;
    }

    /// <summary>Whether a chat with this long a question could be stored; null: it could.</summary>
    public async ValueTask<ApiError?> CheckRoomAsync(string tenant, int messagesBytes) =>
        await _chats.CheckRoomAsync(tenant, messagesBytes) is { } exceeded ? ApiError.NoRoom(exceeded) : null;

    /// <summary>Stores a completion. There is room for it: that was asked before the work was done.</summary>
    /// <param name="completion">The <c>chat.completion</c> that the client gets, or would get if it did not stream.</param>
    /// <param name="messages">The array as it was sent.</param>
    public async ValueTask<ApiError?> AddAsync(
        string tenant, ChatAnswerId id, Dictionary<string, string> metadata, ReadOnlyMemory<byte> completion, ReadOnlyMemory<byte> messages, CancellationToken cancellationToken)
    {
        try
        {
            var bytes = await _contents.WriteAsync(tenant, id.Id, completion, messages, cancellationToken);
            var expiresAt = _time.GetUtcNow() + _options.Value.Retention;
            await _chats.AddAsync(tenant, id.Id, new StoredChat(id.Stamp.Model, metadata), expiresAt, bytes, isForced: true);
            return null;
        }
        catch (Exception exception) when (exception is StorageUnavailableException or IOException)
        {
            return ApiError.Unavailable($"The answer was to be stored, and that failed: {exception.Message}");
        }
    }

    /// <summary>The completion with its labels; null: the tenant has no such one.</summary>
    public async Task<JsonObject?> GetAsync(string tenant, string id, CancellationToken cancellationToken) =>
        await _chats.GetAsync(tenant, id) is { } entry ? await ShowAsync(tenant, entry, cancellationToken) : null;

    /// <summary>The messages that a completion answers, as they were sent; null: the tenant has no such completion.</summary>
    public async Task<JsonArray?> MessagesAsync(string tenant, string id, CancellationToken cancellationToken) =>
        (await _contents.ReadAsync(tenant, id, cancellationToken))?.Question;

    /// <summary>Gives a completion other labels.</summary>
    /// <returns>The completion; null: the tenant has no such one.</returns>
    public async Task<JsonObject?> LabelAsync(string tenant, string id, Dictionary<string, string> metadata, CancellationToken cancellationToken) =>
        await _chats.UpdateAsync(tenant, id, chat => chat with { Metadata = metadata }) is { } entry ? await ShowAsync(tenant, entry, cancellationToken) : null;

    /// <returns>False: the tenant has no such completion.</returns>
    public Task<bool> DeleteAsync(string tenant, string id) => _chats.DeleteAsync(tenant, id);

    /// <summary>A page of the completions of a model, if one is given, with all of some labels.</summary>
    public async Task<(DocumentPage<StoredChat> Page, IReadOnlyList<JsonNode> Completions)> ListAsync(
        string tenant, PageRequest page, string? model, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var found = await _chats.ListAsync(tenant, page, chat =>
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
        if (await _contents.ReadAsync(tenant, entry, cancellationToken) is not { Answer: var completion })
        {
            return null;
        }

        completion["metadata"] = new JsonObject(entry.Value.Metadata.Select(label => KeyValuePair.Create(label.Key, (JsonNode?)label.Value)));
        return completion;
    }
}
