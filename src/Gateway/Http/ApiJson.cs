using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Serving.Contracts.OpenAI;

namespace Serving.Gateway.Http;

/// <summary>How JSON is written that clients or chat templates read.</summary>
internal static class ApiJson
{
    /// <summary>OpenAI's small objects. They are read by people too: texts keep their quotes and umlauts.</summary>
    public static OpenAiJson OpenAi { get; } = new(new JsonSerializerOptions(OpenAiJson.Default.Options)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = null,
    });

    /// <summary>Text goes out as it is: JSON in an API is never HTML. The writer's own checks are off; what a test reads back needs none.</summary>
    public static JsonWriterOptions WriterOptions { get; } = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <summary>The same for trees of JSON.</summary>
    public static JsonSerializerOptions Nodes { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A value's JSON without white space; null: a text in it has half of a surrogate pair.</summary>
    public static byte[]? Compact(JsonElement value)
    {
        var output = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(output, WriterOptions);
        try
        {
            value.WriteTo(json);
        }
        catch (InvalidOperationException)
        {
            return null;
        }

        json.Flush();
        return output.WrittenSpan.ToArray();
    }
}
