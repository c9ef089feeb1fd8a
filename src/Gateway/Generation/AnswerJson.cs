using System.Text.Json;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Generation;

/// <summary>What the answers of chats and of completions have in common.</summary>
internal static class AnswerJson
{
    // What OpenAI gives for a token that is as good as impossible: JSON has no infinity.
    private const float Impossible = -9999;

    /// <summary>A log probability as JSON can have it.</summary>
    public static float Logprob(TokenProbability token) => float.IsFinite(token.Logprob) ? token.Logprob : Impossible;

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
