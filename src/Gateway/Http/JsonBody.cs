using System.Buffers;
using System.Net.Mime;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.Net.Http.Headers;

namespace Serving.Gateway.Http;

/// <summary>Reads a request's JSON object under limits. Everything wrong with it is found here, before anyone looks at its fields.</summary>
internal static class JsonBody
{
    private static readonly JsonDocumentOptions _strict = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    /// <summary>The object, which the caller disposes, or the error with which to answer.</summary>
    public static async ValueTask<(JsonDocument? Document, ApiError? Error)> ReadAsync(HttpContext context, int bytesMax)
    {
        if (CheckHeaders(context.Request, bytesMax) is { } refusal)
        {
            return (null, refusal);
        }

        var body = await ReadBytesAsync(context, bytesMax);
        return body is null ? (null, TooLarge(bytesMax)) : Parse(body);
    }

    /// <summary>Reads a request from the object's fields, or finds the error with which to answer.</summary>
    /// <param name="read">What it makes of the fields does not matter once one of them is at fault. Nothing of it may refer to the object afterwards.</param>
    public static async ValueTask<(T? Request, ApiError? Error)> ReadAsync<T>(HttpContext context, int bytesMax, Func<RequestFields, ValueTask<T?>> read)
        where T : class
    {
        var (document, error) = await ReadAsync(context, bytesMax);
        if (document is null)
        {
            return (null, error);
        }

        using (document)
        {
            var fields = new RequestFields(document.RootElement, context.Features.Get<FieldLog>());
            var request = await read(fields);
            return fields.Error is null ? (request, null) : (null, fields.Error);
        }
    }

    private static ApiError? CheckHeaders(HttpRequest request, int bytesMax)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !type.MediaType.Equals(MediaTypeNames.Application.Json, StringComparison.OrdinalIgnoreCase))
        {
            return Unsupported("The body must be JSON: send the header Content-Type: application/json.");
        }

        // A parameter's value may stand in quotes (RFC 9110, section 5.6.6).
        var charset = HeaderUtilities.RemoveQuotes(type.Charset);
        if (charset.HasValue && !charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
        {
            return Unsupported("JSON is read as UTF-8 only: drop the charset.");
        }

        if (request.Headers.ContentEncoding.ToString() is { Length: > 0 } encoding && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return Unsupported("Compressed bodies are not read: drop Content-Encoding.");
        }

        return request.ContentLength > bytesMax ? TooLarge(bytesMax) : null;
    }

    /// <summary>Null when the body is longer than the limit, which a chunked one only shows as it comes.</summary>
    private static async ValueTask<byte[]?> ReadBytesAsync(HttpContext context, int bytesMax)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            if (read.Buffer.Length > bytesMax)
            {
                reader.AdvanceTo(read.Buffer.End);
                return null;
            }

            if (read.IsCompleted)
            {
                var body = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return body;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static (JsonDocument?, ApiError?) Parse(byte[] body)
    {
        if (!Utf8.IsValid(body))
        {
            return (null, ApiError.Invalid("The body is not valid UTF-8.", code: "invalid_json"));
        }

        try
        {
            var document = JsonDocument.Parse(body, _strict);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return (document, null);
            }

            document.Dispose();
            return (null, ApiError.Invalid("The body must be a JSON object.", code: "invalid_json"));
        }
        catch (JsonException exception)
        {
            return (null, ApiError.Invalid($"The body is not valid JSON: {exception.Message}", code: "invalid_json"));
        }
        catch (InvalidOperationException)
        {
            return (null, ApiError.Invalid("The body is not valid JSON: a name has half of a surrogate pair.", code: "invalid_json"));
        }
    }

    private static ApiError Unsupported(string message) => ApiError.Invalid(message, code: "unsupported_media_type", status: 415);

    private static ApiError TooLarge(int bytesMax) =>
        ApiError.Invalid($"The body is larger than {bytesMax} bytes.", code: "request_too_large", status: 413);
}
