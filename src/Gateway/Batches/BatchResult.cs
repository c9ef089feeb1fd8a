using System.Buffers;
using System.Text.Json;
using Serving.Gateway.Http;

namespace Serving.Gateway.Batches;

/// <summary>What came of one line of a batch.</summary>
/// <param name="Number">The line of the input.</param>
/// <param name="IsError">It goes to the file of errors.</param>
/// <param name="Json">The line that it becomes in the output, without its end.</param>
internal sealed record BatchResult(int Number, bool IsError, ReadOnlyMemory<byte> Json)
{
    /// <summary>A line that was answered, with an error or not.</summary>
    public static BatchResult Of(BatchLine line, string requestId, ReadOnlyMemory<byte> body, ApiError? error) => new(
        line.Number,
        error is not null,
        Write(line.CustomId, requestId, json =>
        {
            json.WriteStartObject("response"u8);
            json.WriteNumber("status_code"u8, error?.Status ?? StatusCodes.Status200OK);
            json.WriteString("request_id"u8, requestId);
            json.WritePropertyName("body"u8);
            json.WriteRawValue(error is null ? body.Span : error.ToJson(), skipInputValidation: true);
            json.WriteEndObject();
            json.WriteNull("error"u8);
        }));

    /// <summary>A line that was not run.</summary>
    public static BatchResult NotRun(BatchLine line, string requestId, string code, string message) => new(
        line.Number,
        IsError: true,
        Write(line.CustomId, requestId, json =>
        {
            json.WriteNull("response"u8);
            json.WriteStartObject("error"u8);
            json.WriteString("code"u8, code);
            json.WriteString("message"u8, message);
            json.WriteEndObject();
        }));

    private static ReadOnlyMemory<byte> Write(string customId, string requestId, Action<Utf8JsonWriter> members)
    {
        var text = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(text, ApiJson.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString("id"u8, requestId);
            json.WriteString("custom_id"u8, customId);
            members(json);
            json.WriteEndObject();
        }

        return text.WrittenMemory;
    }
}
