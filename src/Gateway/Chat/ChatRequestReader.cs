using System.Buffers;
using System.Text.Json;
using Google.Protobuf;
using Serving.Contracts.Internal;
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
        var priority = ReadPriority(fields);
        var (choices, bestOf) = ChoicesReader.Read(fields, stream);
        UnsupportedFields.Check(fields);
        return fields.Error is { } error
            ? (null, error)
            : (new RequestProfile(model!, ByteString.CopyFrom(messages.WrittenSpan), sampling, stop, stream, includeUsage, choices, bestOf)
            {
                Priority = priority,
                CacheSalt = cacheSalt,
                Tools = tools,
                Constraint = constraint,
            }, null);
    }

    private static Priority ReadPriority(RequestFields fields)
    {
        switch (fields.Text("service_tier", NameLengthMax))
        {
            case null or "auto" or "default":
                return Priority.Default;
            case "flex":
                return Priority.Flex;
            case "priority":
                return Priority.Priority;
            case var tier:
                fields.Fail("service_tier", $"'{tier}' is not known here: give auto, default, flex or priority.");
                return Priority.Default;
        }
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

        if (!value.TryGetProperty("include_usage", out var include) || include.ValueKind is JsonValueKind.Null or JsonValueKind.False)
        {
            return false;
        }

        if (include.ValueKind != JsonValueKind.True)
        {
            fields.Fail("stream_options.include_usage", $"must be true or false, not {RequestFields.Kind(include)}.");
        }

        return true;
    }
}
