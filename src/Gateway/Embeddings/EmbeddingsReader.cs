using System.Text.Json;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Embeddings;

/// <summary>Reads the body of <c>POST /v1/embeddings</c>, and writes its answer.</summary>
internal static class EmbeddingsReader
{
    private const int LabelLengthMax = 1024;

    public static EmbeddingRequest? Read(RequestFields fields)
    {
        var model = ModelReader.Read(fields);
        var inputs = InputsReader.TextsOrTokens(fields, "input");
        var isBase64 = ReadIsBase64(fields);
        var dimensions = fields.Integer("dimensions", 1, int.MaxValue);
        fields.Text("user", LabelLengthMax);
        UnsupportedEmbeddingFields.Check(fields);
        return fields.Error is null
            ? new EmbeddingRequest(model, inputs, (json, answer) => Write(json, answer, isBase64)) { Dimensions = (int?)dimensions }
            : null;
    }

    private static bool ReadIsBase64(RequestFields fields)
    {
        if (!fields.TryGet("encoding_format", out var value))
        {
            return false;
        }

        if (!RequestFields.IsText(value, "float", "base64"))
        {
            fields.Fail("encoding_format", "must be \"float\" or \"base64\".");
        }

        return RequestFields.IsText(value, "base64");
    }

    private static void Write(Utf8JsonWriter json, EmbeddingAnswer answer, bool isBase64)
    {
        json.WriteString("object"u8, "list"u8);
        json.WriteStartArray("data"u8);
        for (var index = 0; index < answer.Vectors.Count; index++)
        {
            json.WriteStartObject();
            json.WriteString("object"u8, "embedding"u8);
            json.WriteNumber("index"u8, index);
            if (isBase64)
            {
                json.WriteBase64String("embedding"u8, EmbeddingVectors.ToBytes(answer.Vectors[index]));
            }
            else
            {
                WriteNumbers(json, answer.Vectors[index]);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("model"u8, answer.Model.Name);
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, answer.Tokens);
        json.WriteNumber("total_tokens"u8, answer.Tokens);
        json.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter json, float[] vector)
    {
        json.WriteStartArray("embedding"u8);
        foreach (var element in vector)
        {
            json.WriteNumberValue(element);
        }

        json.WriteEndArray();
    }
}
