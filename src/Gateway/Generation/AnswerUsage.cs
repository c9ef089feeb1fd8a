using System.Text.Json;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Generation;

/// <summary>Counts an answer's tokens as its events come.</summary>
internal sealed class AnswerUsage
{
    /// <summary>Of all prompts.</summary>
    public int PromptTokens { get; private set; }

    /// <summary>Those of them whose KV was already there.</summary>
    public int CachedTokens { get; private set; }

    /// <summary>Of all answers that were computed, also of those that are not given.</summary>
    public int CompletionTokens { get; private set; }

    /// <summary>Those of them that the model wrote for itself.</summary>
    public int ReasoningTokens { get; private set; }

    public void Add(CompletionStarted started)
    {
        PromptTokens += started.PromptTokens;
        CachedTokens += started.CachedTokens;
    }

    public void Add(CompletionFinished finished)
    {
        CompletionTokens += finished.CompletionTokens + finished.DiscardedTokens;
        ReasoningTokens += finished.ReasoningTokens;
    }

    /// <summary>Writes the member <c>usage</c> of <c>chat.completion</c>, <c>text_completion</c> and their chunks.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, PromptTokens);
        json.WriteNumber("completion_tokens"u8, CompletionTokens);
        json.WriteNumber("total_tokens"u8, PromptTokens + CompletionTokens);
        json.WriteStartObject("prompt_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, CachedTokens);
        json.WriteNumber("audio_tokens"u8, 0);
        json.WriteEndObject();
        json.WriteStartObject("completion_tokens_details"u8);
        json.WriteNumber("reasoning_tokens"u8, ReasoningTokens);
        json.WriteNumber("audio_tokens"u8, 0);
        json.WriteNumber("accepted_prediction_tokens"u8, 0);
        json.WriteNumber("rejected_prediction_tokens"u8, 0);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
