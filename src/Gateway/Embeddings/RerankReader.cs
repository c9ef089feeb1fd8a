using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Embeddings;

/// <summary>Reads the body of <c>POST /v1/rerank</c> (vLLM's, Jina's and Cohere's), and writes its answer: documents by the cosine of their embeddings with the query's.</summary>
internal static class RerankReader
{
    public static EmbeddingRequest? Read(RequestFields fields)
    {
        var model = ModelReader.ReadOptional(fields);
        if (!fields.TryGet("query", out var query))
        {
            fields.Fail("query", "is missing: send a text to compare the documents with.");
        }

        List<EmbeddingInput> inputs = [InputsReader.Text(fields, "query", query)];
        inputs.AddRange(ReadDocuments(fields));
        var top = fields.Integer("top_n", 0, int.MaxValue) ?? 0;
        var withDocuments = fields.Boolean("return_documents") ?? true;
        UnsupportedEmbeddingFields.Check(fields);
        return fields.Error is null ? new EmbeddingRequest(model, inputs, (json, answer) => Write(json, answer, inputs, (int)top, withDocuments)) : null;
    }

    private static List<EmbeddingInput> ReadDocuments(RequestFields fields)
    {
        if (!fields.TryGet("documents", out var documents))
        {
            fields.Fail("documents", "is missing: send an array of texts.");
            return [];
        }

        if (documents.ValueKind != JsonValueKind.Array)
        {
            fields.Fail("documents", $"must be an array of texts, not {RequestFields.Kind(documents)}.");
            return [];
        }

        return InputsReader.Each(fields, "documents", documents, ReadDocument);
    }

    /// <summary>A text, or Cohere's <c>{"text": …}</c>.</summary>
    private static EmbeddingInput ReadDocument(RequestFields fields, string field, JsonElement value) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty("text", out var text)
            ? InputsReader.Text(fields, $"{field}.text", text)
            : InputsReader.Text(fields, field, value);

    private static void Write(Utf8JsonWriter json, EmbeddingAnswer answer, List<EmbeddingInput> inputs, int top, bool withDocuments)
    {
        var ranked = Enumerable.Range(0, inputs.Count - 1)
            .Select(document => (Document: document, Score: EmbeddingVectors.Cosine(answer.Vectors[0], answer.Vectors[document + 1])))
            .OrderByDescending(pair => pair.Score);
        json.WriteString("id"u8, $"rerank-{Guid.CreateVersion7():N}");
        json.WriteString("model"u8, answer.Model.Name);
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, answer.Tokens);
        json.WriteNumber("total_tokens"u8, answer.Tokens);
        json.WriteEndObject();
        json.WriteStartArray("results"u8);
        foreach (var (document, score) in top > 0 ? ranked.Take(top) : ranked)
        {
            json.WriteStartObject();
            json.WriteNumber("index"u8, document);
            if (withDocuments)
            {
                json.WriteStartObject("document"u8);
                json.WriteString("text"u8, inputs[document + 1].Text);
                json.WriteEndObject();
            }

            json.WriteNumber("relevance_score"u8, score);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
