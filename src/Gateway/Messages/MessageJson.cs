using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Messages;

/// <summary>The parts of Anthropic's <c>message</c>.</summary>
internal static class MessageJson
{
    public static string NewId() => $"msg_{Guid.NewGuid():N}";

    public static void WriteHead(this Utf8JsonWriter json, string id, AnswerStamp stamp)
    {
        json.WriteString("id"u8, id);
        json.WriteString("type"u8, "message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("model"u8, stamp.Model);
    }

    /// <summary>Writes a block, whole, or without the text that is still to come.</summary>
    public static void WriteBlock(this Utf8JsonWriter json, AnswerBlock block, bool isWhole)
    {
        json.WriteStartObject();
        switch (block.Kind)
        {
            case AnswerBlockKind.Text:
                json.WriteString("type"u8, "text"u8);
                json.WriteString("text"u8, isWhole ? block.Text.ToString() : "");
                json.WriteNull("citations"u8);
                break;
            case AnswerBlockKind.Reasoning:
                // What the model has written is all there, so there is nothing to sign.
                json.WriteString("type"u8, "thinking"u8);
                json.WriteString("thinking"u8, isWhole ? block.Text.ToString() : "");
                json.WriteString("signature"u8, ""u8);
                break;
            default:
                json.WriteString("type"u8, "tool_use"u8);
                json.WriteString("id"u8, block.CallId);
                json.WriteString("name"u8, block.CallName);
                json.WritePropertyName("input"u8);
                WriteInput(json, isWhole ? block.Text.ToString() : "");
                break;
        }

        json.WriteEndObject();
    }

    /// <summary>Writes <c>stop_reason</c> and <c>stop_sequence</c>; null for both as long as the answer goes on.</summary>
    public static void WriteStop(this Utf8JsonWriter json, CompletionFinished? finished)
    {
        if (finished is null)
        {
            json.WriteNull("stop_reason"u8);
            json.WriteNull("stop_sequence"u8);
            return;
        }

        json.WriteString("stop_reason"u8, finished switch
        {
            { HasStopSequence: true } => "stop_sequence"u8,
            { Reason: FinishReason.ToolCalls } => "tool_use"u8,
            { Reason: FinishReason.Length } => "max_tokens"u8,
            _ => "end_turn"u8,
        });
        json.WriteString("stop_sequence"u8, finished.HasStopSequence ? finished.StopSequence : null);
    }

    /// <summary>Writes <c>usage</c>, in which what was cached does not count as input.</summary>
    public static void WriteMessageUsage(this Utf8JsonWriter json, AnswerUsage usage)
    {
        json.WriteStartObject("usage"u8);
        json.WriteNumber("input_tokens"u8, usage.PromptTokens - usage.CachedTokens);
        json.WriteNumber("cache_creation_input_tokens"u8, 0);
        json.WriteNumber("cache_read_input_tokens"u8, usage.CachedTokens);
        json.WriteNumber("output_tokens"u8, usage.CompletionTokens);
        json.WriteString("service_tier"u8, "standard"u8);
        json.WriteEndObject();
    }

    /// <summary>A call's arguments as an object. A text that is none, which only a call can have that is held to nothing, is its one member.</summary>
    private static void WriteInput(Utf8JsonWriter json, string arguments)
    {
        if (AsObject(arguments.Length > 0 ? arguments : "{}") is { } input)
        {
            json.WriteRawValue(input, skipInputValidation: true);
            return;
        }

        json.WriteStartObject();
        json.WriteString("arguments"u8, arguments);
        json.WriteEndObject();
    }

    private static byte[]? AsObject(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object ? ApiJson.Compact(document.RootElement) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
