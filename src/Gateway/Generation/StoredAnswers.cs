using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Serving.Gateway.Http;
using Serving.Storage;
using Serving.Storage.Documents;

namespace Serving.Gateway.Generation;

/// <summary>Answers that are kept, whatever their API: each a document, and as its contents one JSON object with the answer and what it answers.</summary>
/// <param name="kind">The collection's name.</param>
/// <param name="answer">The answer's name in the contents.</param>
/// <param name="question">The name of what it answers, an array.</param>
internal sealed class StoredAnswers<T>(string kind, JsonTypeInfo<T> type, string answer, string question, StorageServices storage, TimeProvider time)
    where T : class
{
    public DocumentCollection<T> Documents { get; } = new(kind, type, storage);

    /// <summary>Whether an answer to a question so long could be stored; null: it could.</summary>
    public async ValueTask<ApiError?> CheckRoomAsync(string tenant, int questionBytes) =>
        await Documents.CheckRoomAsync(tenant, questionBytes) is { } exceeded ? ApiError.NoRoom(exceeded) : null;

    /// <summary>Stores an answer. There is room for it: that was asked before the work was done.</summary>
    public async ValueTask<ApiError?> AddAsync(
        string tenant, string id, T document, ReadOnlyMemory<byte> answerJson, ReadOnlyMemory<byte> questionJson, CancellationToken cancellationToken)
    {
        try
        {
            var bytes = await WriteAsync(tenant, id, answerJson, questionJson, cancellationToken);
            await Documents.AddAsync(tenant, id, document, time.GetUtcNow() + storage.Retention, bytes, isForced: true);
            return null;
        }
        catch (Exception exception) when (exception is StorageUnavailableException or IOException)
        {
            return ApiError.Unavailable($"The {answer} was to be stored, and that failed: {exception.Message}");
        }
    }

    /// <summary>Writes an answer's contents, or others in their place.</summary>
    /// <returns>How many bytes they are.</returns>
    public async Task<int> WriteAsync(
        string tenant, string id, ReadOnlyMemory<byte> answerJson, ReadOnlyMemory<byte> questionJson, CancellationToken cancellationToken)
    {
        var contents = new ArrayBufferWriter<byte>(answerJson.Length + questionJson.Length + 64);
        using (var json = new Utf8JsonWriter(contents, ApiJson.WriterOptions))
        {
            json.WriteStartObject();
            json.WritePropertyName(answer);
            json.WriteRawValue(answerJson.Span, skipInputValidation: true);
            json.WritePropertyName(question);
            json.WriteRawValue(questionJson.Span, skipInputValidation: true);
            json.WriteEndObject();
        }

        await Documents.WriteContentsAsync(tenant, id, contents.WrittenMemory, cancellationToken);
        return contents.WrittenCount;
    }

    /// <summary>Null: the tenant has no such answer.</summary>
    public async Task<StoredAnswer?> ReadAsync(string tenant, string id, CancellationToken cancellationToken) =>
        Parse(await Documents.ReadContentsAsync(tenant, id, cancellationToken));

    /// <summary>The contents of an answer that has been looked up; null: they are gone.</summary>
    public async Task<StoredAnswer?> ReadAsync(string tenant, StoredEntry<T> entry, CancellationToken cancellationToken) =>
        Parse(await Documents.ReadContentsAsync(tenant, entry, cancellationToken));

    private StoredAnswer? Parse(byte[]? bytes)
    {
        if (bytes is null)
        {
            return null;
        }

        var contents = JsonNode.Parse(bytes)!.AsObject();
        var stored = new StoredAnswer(contents[answer]!.AsObject(), contents[question]!.AsArray());
        contents.Clear();
        return stored;
    }
}

/// <summary>A stored answer and what it answers. Both belong to nothing else.</summary>
internal sealed record StoredAnswer(JsonObject Answer, JsonArray Question);
