using System.Buffers;
using System.Text.Json;

namespace Serving.Gateway.Http;

/// <summary>Errors as Anthropic's API has them: <c>{"type": "error", "error": {"type", "message"}, "request_id"}</c>.</summary>
internal static class AnthropicError
{
    public static bool IsSpokenAt(PathString path) => path.StartsWithSegments("/v1/messages", StringComparison.Ordinal);

    public static byte[] ToJson(ApiError error, string requestId)
    {
        var output = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(output, ApiJson.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "error"u8);
            json.WriteStartObject("error"u8);
            json.WriteString("type"u8, TypeOf(error.Status));
            json.WriteString("message"u8, error.Error.Message);
            json.WriteEndObject();
            json.WriteString("request_id"u8, requestId);
            json.WriteEndObject();
        }

        return output.WrittenSpan.ToArray();
    }

    private static ReadOnlySpan<byte> TypeOf(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => "authentication_error"u8,
        StatusCodes.Status403Forbidden => "permission_error"u8,
        StatusCodes.Status404NotFound => "not_found_error"u8,
        StatusCodes.Status413PayloadTooLarge => "request_too_large"u8,
        StatusCodes.Status429TooManyRequests => "rate_limit_error"u8,
        StatusCodes.Status503ServiceUnavailable => "overloaded_error"u8,
        StatusCodes.Status504GatewayTimeout => "timeout_error"u8,
        < StatusCodes.Status500InternalServerError => "invalid_request_error"u8,
        _ => "api_error"u8,
    };
}
