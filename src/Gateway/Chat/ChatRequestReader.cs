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
    private const int StopSequencesMax = 4;
    private const int StopLengthMax = 1024;

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
        var sampling = ReadSampling(fields);
        var stop = ReadStop(fields);
        var stream = fields.Boolean("stream") ?? false;
        var includeUsage = ReadIncludeUsage(fields, stream);
        var cacheSalt = fields.Text("cache_salt", NameLengthMax) ?? "";
        var priority = ReadPriority(fields);
        UnsupportedFields.Check(fields);
        return fields.Error is { } error
            ? (null, error)
            : (new RequestProfile(model!, ByteString.CopyFrom(messages.WrittenSpan), sampling, stop, stream, includeUsage) { Priority = priority, CacheSalt = cacheSalt }, null);
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

    private static SamplingParameters ReadSampling(RequestFields fields)
    {
        // What the client leaves out the model's makers may have a recommendation for, which the worker knows.
        var sampling = new SamplingParameters();
        if (fields.Number("temperature", 0, 2) is { } temperature)
        {
            sampling.Temperature = (float)temperature;
        }

        if (fields.Number("top_p", 0, 1, minExcluded: true) is { } topP)
        {
            sampling.TopP = (float)topP;
        }

        if (fields.Integer("seed", long.MinValue, long.MaxValue) is { } seed)
        {
            sampling.Seed = seed;
        }

        return sampling;
    }

    private static StopConditions ReadStop(RequestFields fields)
    {
        var stop = new StopConditions();
        var older = fields.Integer("max_tokens", 1, int.MaxValue);
        var newer = fields.Integer("max_completion_tokens", 1, int.MaxValue);
        if (older is not null && newer is not null)
        {
            fields.Fail("max_tokens", "is the older name of 'max_completion_tokens': send only one of them.");
        }

        if ((newer ?? older) is { } tokens)
        {
            stop.MaxTokens = (int)tokens;
        }

        ReadStopSequences(fields, stop);
        return stop;
    }

    private static void ReadStopSequences(RequestFields fields, StopConditions stop)
    {
        if (!fields.TryGet("stop", out var value))
        {
            return;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            AddStopSequence(fields, stop, "stop", value);
            return;
        }

        if (value.GetArrayLength() > StopSequencesMax)
        {
            fields.Fail("stop", $"has {value.GetArrayLength()} sequences; at most {StopSequencesMax} are allowed.");
            return;
        }

        var index = 0;
        foreach (var sequence in value.EnumerateArray())
        {
            AddStopSequence(fields, stop, $"stop[{index++}]", sequence);
        }
    }

    private static void AddStopSequence(RequestFields fields, StopConditions stop, string field, JsonElement value)
    {
        if (fields.Text(field, value) is not { } sequence)
        {
            return;
        }

        if (sequence.Length is 0 or > StopLengthMax)
        {
            fields.Fail(field, $"must have 1 to {StopLengthMax} characters, not {sequence.Length}.");
            return;
        }

        stop.Sequences.Add(sequence);
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
