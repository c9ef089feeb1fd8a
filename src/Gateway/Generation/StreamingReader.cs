using System.Text.Json;
using Serving.Gateway.Http;

namespace Serving.Gateway.Generation;

/// <summary>Reads <c>stream</c> and <c>stream_options</c>.</summary>
internal static class StreamingReader
{
    /// <summary>Whether chunks are wanted, and one at the end that tells the usage.</summary>
    public static (bool Stream, bool IncludeUsage) Read(RequestFields fields)
    {
        var stream = fields.Boolean("stream") ?? false;
        if (!fields.TryGet("stream_options", out var options))
        {
            return (stream, false);
        }

        if (!stream)
        {
            fields.Fail("stream_options", "is only allowed when 'stream' is true.");
        }
        else if (options.ValueKind != JsonValueKind.Object)
        {
            fields.Fail("stream_options", $"must be an object, not {RequestFields.Kind(options)}.");
        }

        if (fields.Error is not null)
        {
            return (stream, false);
        }

        if (ReadOption(fields, options, "include_obfuscation"))
        {
            fields.Fail("stream_options.include_obfuscation", "is not supported: no padding hides how long tokens are. Leave it out.", "unsupported_parameter");
        }

        return (stream, ReadOption(fields, options, "include_usage"));
    }

    private static bool ReadOption(RequestFields fields, JsonElement options, string name)
    {
        if (!options.TryGetProperty(name, out var option) || option.ValueKind is JsonValueKind.Null or JsonValueKind.False)
        {
            return false;
        }

        if (option.ValueKind != JsonValueKind.True)
        {
            fields.Fail($"stream_options.{name}", $"must be true or false, not {RequestFields.Kind(option)}.");
        }

        return true;
    }
}
