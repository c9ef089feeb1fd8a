using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Serving.Gateway.Http;
using Serving.Storage;
using Serving.Storage.Configuration;
using Serving.Storage.Documents;

namespace Serving.Gateway.Chat.Stored;

/// <summary>The chat completions that were asked for with <c>store</c>.</summary>
internal sealed class StoredChats(StorageServices storage, IOptions<StorageOptions> options, TimeProvider time)
{
    private const string Completion = "completion";
    private const string Messages = "messages";

    private readonly DocumentCollection<StoredChat> _chats = new("chat", StoredChatJson.Default.StoredChat, storage);

    /// <summary>Whether a chat with this long a question could be stored; null: it could.</summary>
    public async ValueTask<ApiError?> CheckRoomAsync(string tenant, int messagesBytes) =>
        await _chats.CheckRoomAsync(tenant, messagesBytes) is { } exceeded ? ApiError.NoRoom(exceeded) : null;

    /// <summary>Stores a completion. There is room for it: that was asked before the work was done.</summary>
    /// <param name="completion">The <c>chat.completion</c> that the client gets, or would get if it did not stream.</param>
    /// <param name="messages">The array as it was sent.</param>
    public async ValueTask<ApiError?> AddAsync(
        string tenant, ChatAnswerId id, Dictionary<string, string> metadata, ReadOnlyMemory<byte> completion, ReadOnlyMemory<byte> messages, CancellationToken cancellationToken)
    {
        var contents = new ArrayBufferWriter<byte>(completion.Length + messages.Length + 64);
        using (var json = new Utf8JsonWriter(contents, ApiJson.WriterOptions))
        {
            json.WriteStartObject();
            json.WritePropertyName(Completion);
            json.WriteRawValue(completion.Span, skipInputValidation: true);
            json.WritePropertyName(Messages);
            json.WriteRawValue(messages.Span, skipInputValidation: true);
            json.WriteEndObject();
        }

        try
        {
            await _chats.WriteContentsAsync(tenant, id.Id, contents.WrittenMemory, cancellationToken);
            var expiresAt = time.GetUtcNow() + options.Value.Retention;
            await _chats.AddAsync(tenant, id.Id, new StoredChat(id.Stamp.Model, metadata), expiresAt, contents.WrittenCount, isForced: true);
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
        (await ContentsAsync(tenant, id, cancellationToken))?[Messages]!.AsArray();

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
        if (await ContentsAsync(tenant, entry.Id, cancellationToken) is not { } contents)
        {
            return null;
        }

        var completion = contents[Completion]!.AsObject();
        contents.Remove(Completion);
        completion["metadata"] = new JsonObject(entry.Value.Metadata.Select(label => KeyValuePair.Create(label.Key, (JsonNode?)label.Value)));
        return completion;
    }

    private async Task<JsonObject?> ContentsAsync(string tenant, string id, CancellationToken cancellationToken) =>
        await _chats.ReadContentsAsync(tenant, id, cancellationToken) is { } contents ? JsonNode.Parse(contents)!.AsObject() : null;
}
