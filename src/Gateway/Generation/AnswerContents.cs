using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serving.Gateway.Http;
using Serving.Storage.Documents;

namespace Serving.Gateway.Generation;

/// <summary>The contents of stored answers: one JSON object with the answer and what it answers.</summary>
/// <param name="answer">The answer's name there.</param>
/// <param name="question">The name of what it answers, an array.</param>
internal sealed class AnswerContents<T>(DocumentCollection<T> documents, string answer, string question)
    where T : class
{
    /// <summary>Writes an answer's contents.</summary>
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

        await documents.WriteContentsAsync(tenant, id, contents.WrittenMemory, cancellationToken);
        return contents.WrittenCount;
    }

    /// <summary>Null: the tenant has no such answer.</summary>
    public async Task<StoredAnswer?> ReadAsync(string tenant, string id, CancellationToken cancellationToken) =>
        Parse(await documents.ReadContentsAsync(tenant, id, cancellationToken));

    /// <summary>The contents of an answer that has been looked up; null: they are gone.</summary>
    public async Task<StoredAnswer?> ReadAsync(string tenant, StoredEntry<T> entry, CancellationToken cancellationToken) =>
        Parse(await documents.ReadContentsAsync(tenant, entry, cancellationToken));

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
