using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Embeddings;

/// <summary>Reads the body of <c>POST /v1/score</c> (vLLM's), and writes its answer: the cosines of the embeddings of pairs of texts.</summary>
internal static class ScoreReader
{
    public static EmbeddingRequest? Read(RequestFields fields)
    {
        var model = ModelReader.ReadOptional(fields);
        var left = InputsReader.Texts(fields, "text_1");
        var right = InputsReader.Texts(fields, "text_2");
        if (left.Count != right.Count && left.Count != 1)
        {
            fields.Fail("text_1", $"has {left.Count} texts and 'text_2' {right.Count}: send one text to compare all others with, or as many as there are others.");
        }

        UnsupportedEmbeddingFields.Check(fields);
        return fields.Error is null ? new EmbeddingRequest(model, [.. left, .. right], (json, answer) => Write(json, answer, left.Count)) : null;
    }

    private static void Write(Utf8JsonWriter json, EmbeddingAnswer answer, int leftCount)
    {
        json.WriteString("id"u8, $"score-{Guid.CreateVersion7():N}");
        json.WriteString("object"u8, "list"u8);
        json.WriteNumber("created"u8, answer.CreatedAt.ToUnixTimeSeconds());
        json.WriteString("model"u8, answer.Model.Name);
        json.WriteStartArray("data"u8);
        for (var index = 0; index < answer.Vectors.Count - leftCount; index++)
        {
            var left = answer.Vectors[leftCount == 1 ? 0 : index];
            json.WriteStartObject();
            json.WriteNumber("index"u8, index);
            json.WriteString("object"u8, "score"u8);
            json.WriteNumber("score"u8, EmbeddingVectors.Cosine(left, answer.Vectors[leftCount + index]));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, answer.Tokens);
        json.WriteNumber("total_tokens"u8, answer.Tokens);
        json.WriteNumber("completion_tokens"u8, 0);
        json.WriteNull("prompt_tokens_details"u8);
        json.WriteEndObject();
    }
}
