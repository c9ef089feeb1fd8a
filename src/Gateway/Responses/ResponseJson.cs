using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Chat;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Responses;

/// <summary>Writes one response and its items.</summary>
internal sealed class ResponseJson(ResponseId id, AnswerStamp stamp, ResponseSettings settings, TimeProvider time)
{
    public ResponseId Id => id;

    /// <summary>The response without an answer.</summary>
    public void Write(Utf8JsonWriter json, string status, ApiError? error = null) => Write(json, status, null, null, null, error);

    /// <summary>The response with its answer.</summary>
    public void Write(Utf8JsonWriter json, AnswerBlocks blocks, AnswerUsage usage, CompletionFinished finished) =>
        Write(json, StatusOf(finished), blocks, usage, finished, error: null);

    public static string StatusOf(CompletionFinished finished) => finished.Reason == FinishReason.Length ? "incomplete" : "completed";

    /// <param name="isWhole">False: without what is still to come of it.</param>
    public void WriteItem(Utf8JsonWriter json, AnswerBlock block, string status, bool isWhole)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, id.Of(block));
        switch (block.Kind)
        {
            case AnswerBlockKind.Text:
                json.WriteString("type"u8, "message"u8);
                json.WriteString("role"u8, "assistant"u8);
                WriteContent(json, block, isWhole);
                break;
            case AnswerBlockKind.Reasoning:
                json.WriteString("type"u8, "reasoning"u8);
                json.WriteStartArray("summary"u8);
                json.WriteEndArray();
                WriteContent(json, block, isWhole);
                break;
            default:
                json.WriteString("type"u8, "function_call"u8);
                json.WriteString("call_id"u8, block.CallId);
                json.WriteString("name"u8, block.CallName);
                json.WriteString("arguments"u8, isWhole ? block.Text.ToString() : "");
                break;
        }

        json.WriteString("status"u8, status);
        json.WriteEndObject();
    }

    /// <summary>The one part of a message or of reasoning.</summary>
    public static void WritePart(Utf8JsonWriter json, AnswerBlock block, bool isWhole)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, block.Kind == AnswerBlockKind.Text ? "output_text"u8 : "reasoning_text"u8);
        json.WriteString("text"u8, isWhole ? block.Text.ToString() : "");
        if (block.Kind == AnswerBlockKind.Text)
        {
            json.WriteStartArray("annotations"u8);
            json.WriteEndArray();
            json.WriteTokens("logprobs", isWhole ? block.Logprobs : []);
        }

        json.WriteEndObject();
    }

    private static void WriteContent(Utf8JsonWriter json, AnswerBlock block, bool isWhole)
    {
        json.WriteStartArray("content"u8);
        if (isWhole)
        {
            WritePart(json, block, isWhole);
        }

        json.WriteEndArray();
    }

    private void Write(Utf8JsonWriter json, string status, AnswerBlocks? blocks, AnswerUsage? usage, CompletionFinished? finished, ApiError? error)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, id.Value);
        json.WriteString("object"u8, "response"u8);
        json.WriteNumber("created_at"u8, stamp.Created);
        json.WriteString("status"u8, status);
        WriteTime(json, status);
        WriteError(json, error);
        json.WritePropertyName("incomplete_details"u8);
        json.WriteRawValue(status == "incomplete" ? """{"reason":"max_output_tokens"}"""u8 : "null"u8, skipInputValidation: true);
        json.WriteString("model"u8, stamp.Model);
        json.WriteStartArray("output"u8);
        foreach (var block in blocks?.All ?? [])
        {
            var isLast = block.Index == blocks!.All.Count - 1;
            WriteItem(json, block, isLast && finished is not null ? StatusOf(finished) : "completed", isWhole: true);
        }

        json.WriteEndArray();
        settings.Write(json);
        if (usage is not null)
        {
            WriteUsage(json, usage);
        }

        json.WriteEndObject();
    }

    private void WriteTime(Utf8JsonWriter json, string status)
    {
        if (status == "completed")
        {
            json.WriteNumber("completed_at"u8, time.GetUtcNow().ToUnixTimeSeconds());
        }
        else
        {
            json.WriteNull("completed_at"u8);
        }
    }

    private static void WriteError(Utf8JsonWriter json, ApiError? error)
    {
        if (error is null)
        {
            json.WriteNull("error"u8);
            return;
        }

        json.WriteStartObject("error"u8);
        json.WriteString("code"u8, error.Status switch
        {
            StatusCodes.Status429TooManyRequests => "rate_limit_exceeded"u8,
            < StatusCodes.Status500InternalServerError => "invalid_prompt"u8,
            _ => "server_error"u8,
        });
        json.WriteString("message"u8, error.Error.Message);
        json.WriteEndObject();
    }

    private static void WriteUsage(Utf8JsonWriter json, AnswerUsage usage)
    {
        json.WriteStartObject("usage"u8);
        json.WriteNumber("input_tokens"u8, usage.PromptTokens);
        json.WriteStartObject("input_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, usage.CachedTokens);
        json.WriteNumber("cache_write_tokens"u8, 0);
        json.WriteEndObject();
        json.WriteNumber("output_tokens"u8, usage.CompletionTokens);
        json.WriteStartObject("output_tokens_details"u8);
        json.WriteNumber("reasoning_tokens"u8, usage.ReasoningTokens);
        json.WriteEndObject();
        json.WriteNumber("total_tokens"u8, usage.PromptTokens + usage.CompletionTokens);
        json.WriteEndObject();
    }
}
