using System.Buffers;
using System.Text.Json;
using Google.Protobuf;
using Serving.Contracts.Internal;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Chat;

/// <summary>Reads the body of <c>POST /v1/chat/completions</c> field by field, and refuses by name what it cannot honour.</summary>
internal static class ChatRequestReader
{
    private const int NameLengthMax = 256;

    public static GenerationRequest? Read(RequestFields fields)
    {
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
        if (fields.Error is not null)
        {
            return null;
        }

        var prompt = new ChatPrompt
        {
            MessagesJson = ByteString.CopyFrom(messages.WrittenSpan),
            ToolsJson = tools.Json,
            TemplateArgumentsJson = templateArguments,
            AddGenerationPrompt = true,
        };
        var profile = new GenerationProfile
        {
            Model = model!,
            Prompts = [Prompt.Of(prompt, "messages")],
            Sampling = sampling,
            Stop = stop,
            Choices = choices,
            BestOf = bestOf,
            Priority = priority,
            CacheSalt = cacheSalt,
            Tools = tools.Parameters,
            Constraint = constraint,
        };
        return new GenerationRequest(profile, stamp => Renderer(ChatAnswerId.New(stamp, tier), profile, stream, includeUsage));
    }

    private static IAnswerRenderer Renderer(ChatAnswerId id, GenerationProfile profile, bool stream, bool includeUsage)
    {
        var hasLogprobs = profile.Sampling.HasLogprobs;
        return stream ? new ChatStreamRenderer(id, includeUsage, profile.Choices, hasLogprobs) : new ChatAnswerRenderer(id, profile.Choices, hasLogprobs);
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
