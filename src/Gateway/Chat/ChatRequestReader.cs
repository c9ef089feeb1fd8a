using System.Buffers;
using Google.Protobuf;
using Serving.Contracts.Internal;
using Serving.Gateway.Chat.Stored;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Chat;

/// <summary>Reads the body of <c>POST /v1/chat/completions</c> field by field, and refuses by name what it cannot honour.</summary>
internal static class ChatRequestReader
{
    private const int TopLogprobsMax = 20;

    /// <param name="chats">Where the answer goes if the request has <c>store</c>.</param>
    public static GenerationRequest? Read(RequestFields fields, StoredChats chats, string tenant)
    {
        var model = ModelReader.Read(fields);
        var messages = new ArrayBufferWriter<byte>();
        ChatMessagesReader.Read(fields, messages);
        var tools = ToolsReader.Read(fields);
        var sampling = SamplingReader.Read(fields);
        ReadLogprobs(fields, sampling);
        var stop = StopReader.Read(fields, ReadMaxTokens(fields));
        var constraint = ConstraintReader.Read(fields);
        var (stream, includeUsage) = StreamingReader.Read(fields);
        var cacheSalt = CacheSaltReader.Read(fields);
        var (priority, tier) = PriorityReader.Read(fields);
        var templateArguments = TemplateArgumentsReader.Read(fields);
        var effort = ReasoningEffortReader.Read(fields, "reasoning_effort");
        var (choices, bestOf) = ChoicesReader.Read(fields, stream);
        var keeping = KeepingReader.Read(fields, chats, tenant);
        UnsupportedChatFields.Check(fields);
        if (fields.Error is not null)
        {
            return null;
        }

        var prompt = new ChatPrompt
        {
            MessagesJson = ByteString.CopyFrom(messages.WrittenSpan),
            ToolsJson = tools.Json,
            TemplateArgumentsJson = templateArguments,
            ReasoningEffort = effort,
            AddGenerationPrompt = true,
        };
        var profile = new GenerationProfile
        {
            Model = model,
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
        return new GenerationRequest(profile, stamp => Renderer(ChatAnswerId.New(stamp, tier), profile, stream, includeUsage, keeping))
        {
            Admit = keeping is null ? null : keeping.CheckRoomAsync,
        };
    }

    private static IAnswerRenderer Renderer(ChatAnswerId id, GenerationProfile profile, bool stream, bool includeUsage, ChatKeeping? keeping)
    {
        var hasLogprobs = profile.Sampling.HasLogprobs;
        var chunks = stream ? new ChatStreamRenderer(id, includeUsage, profile.Choices, hasLogprobs) : null;
        if (chunks is not null && keeping is null)
        {
            return chunks;
        }

        var whole = new ChatAnswerRenderer(id, profile.Choices, hasLogprobs);
        return keeping is null ? whole : new KeepingRenderer(whole, chunks, (completion, cancellationToken) => keeping.KeepAsync(id, completion, cancellationToken));
    }

    private static long? ReadMaxTokens(RequestFields fields)
    {
        var older = fields.Integer("max_tokens", 1, int.MaxValue);
        var newer = fields.Integer("max_completion_tokens", 1, int.MaxValue);
        if (older is not null && newer is not null)
        {
            fields.Fail("max_tokens", "is the older name of 'max_completion_tokens': send only one of them.");
        }

        return newer ?? older;
    }

    private static void ReadLogprobs(RequestFields fields, SamplingParameters sampling)
    {
        var isAsked = fields.Boolean("logprobs") ?? false;
        var top = (int?)fields.Integer("top_logprobs", 0, TopLogprobsMax) ?? 0;
        if (isAsked)
        {
            sampling.Logprobs = top;
        }
        else if (top > 0)
        {
            fields.Fail("top_logprobs", "is only allowed when 'logprobs' is true.");
        }
    }
}
