using System.Buffers;
using System.Text.Json;
using Google.Protobuf;
using Serving.Gateway.Http;

namespace Serving.Gateway.Chat;

/// <summary>Reads the body of <c>POST /v1/chat/completions</c> field by field, and refuses by name what it cannot honour.</summary>
internal static class ChatRequestReader
{
    private const int NameLengthMax = 256;

    /// <summary>The profile, or the error with which to answer.</summary>
    public static (RequestProfile? Profile, ApiError? Error) Read(JsonElement body)
    {
        var fields = new RequestFields(body);
        var model = fields.Text("model", NameLengthMax);
        if (string.IsNullOrEmpty(model))
        {
            fields.Fail("model", "is missing: name one of the models that GET /v1/models lists.");
        }

        var messages = new ArrayBufferWriter<byte>();
        ChatMessagesReader.Read(fields, messages);
        var tools = ToolsReader.Read(fields);
        var sampling = SamplingReader.Read(fields);
        var stop = StopReader.Read(fields);
        var constraint = ConstraintReader.Read(fields);
        var stream = fields.Boolean("stream") ?? false;
        var includeUsage = ReadIncludeUsage(fields, stream);
        var cacheSalt = fields.Text("cache_salt", NameLengthMax) ?? "";
        var (priority, tier) = PriorityReader.Read(fields);
        var templateArguments = TemplateArgumentsReader.Read(fields);
        var (choices, bestOf) = ChoicesReader.Read(fields, stream);
        UnsupportedFields.Check(fields);
        return fields.Error is { } error
            ? (null, error)
            : (new RequestProfile(model!, ByteString.CopyFrom(messages.WrittenSpan), sampling, stop, stream, includeUsage, choices, bestOf)
            {
                Priority = priority,
                ServiceTier = tier,
                TemplateArgumentsJson = templateArguments,
                CacheSalt = cacheSalt,
                Tools = tools,
                Constraint = constraint,
            }, null);
    }

    private static bool ReadIncludeUsage(RequestFields fields, bool stream)
    {
        if (!fields.TryGet("stream_options", out var value))
        {
            return false;
        }

        if (!stream)
        {
            fields.Fail("stream_options", "is only allowed when 'stream' is true.");
            return false;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            fields.Fail("stream_options", $"must be an object, not {RequestFields.Kind(value)}.");
            return false;
        }

        if (ReadOption(fields, value, "include_obfuscation"))
        {
            fields.Fail("stream_options.include_obfuscation", "is not supported: no padding hides how long tokens are. Leave it out.", "unsupported_parameter");
        }

        return ReadOption(fields, value, "include_usage");
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
