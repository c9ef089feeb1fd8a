using System.Text.Json;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Chat;

/// <summary>The parts that <c>chat.completion</c> and <c>chat.completion.chunk</c> share.</summary>
internal static class ChatJson
{
    public static void WriteId(this Utf8JsonWriter json, ChatAnswerId id, string objectName)
    {
        json.WriteString("id"u8, id.Id);
        json.WriteString("object"u8, objectName);
        json.WriteNumber("created"u8, id.Stamp.Created);
        json.WriteString("model"u8, id.Stamp.Model);
        json.WriteString("system_fingerprint"u8, id.Stamp.SystemFingerprint);
        if (id.ServiceTier is { } tier)
        {
            json.WriteString("service_tier"u8, tier);
        }
    }

    public static void WriteUsage(this Utf8JsonWriter json, CompletionStarted started, int completionTokens, int reasoningTokens)
    {
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, started.PromptTokens);
        json.WriteNumber("completion_tokens"u8, completionTokens);
        json.WriteNumber("total_tokens"u8, started.PromptTokens + completionTokens);
        json.WriteStartObject("prompt_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, started.CachedTokens);
        json.WriteNumber("audio_tokens"u8, 0);
        json.WriteEndObject();
        json.WriteStartObject("completion_tokens_details"u8);
        json.WriteNumber("reasoning_tokens"u8, reasoningTokens);
        json.WriteNumber("audio_tokens"u8, 0);
        json.WriteNumber("accepted_prediction_tokens"u8, 0);
        json.WriteNumber("rejected_prediction_tokens"u8, 0);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>
    /// How a choice has ended. <c>stop_reason</c>, which vLLM has too, is there only when a stop sequence or a stop token of the request's own
    /// ended it.
    /// </summary>
    public static void WriteEnd(this Utf8JsonWriter json, CompletionFinished finished)
    {
        json.WriteString("finish_reason"u8, Name(finished.Reason));
        if (finished.HasStopSequence)
        {
            json.WriteString("stop_reason"u8, finished.StopSequence);
        }
        else if (finished.HasStopToken)
        {
            json.WriteNumber("stop_reason"u8, finished.StopToken);
        }
    }

    private static ReadOnlySpan<byte> Name(FinishReason reason) => reason switch
    {
        FinishReason.Stop => "stop"u8,
        FinishReason.Length => "length"u8,
        FinishReason.ToolCalls => "tool_calls"u8,
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "No such finish reason."),
    };
}
