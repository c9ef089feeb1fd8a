using System.Buffers;
using System.Text;
using System.Text.Json;
using Serving.Gateway.Http;

namespace Serving.Gateway.Chat;

/// <summary>
/// Validates <c>messages</c> and writes them as canonical JSON, which is what the chat template reads: known fields in a fixed order,
/// content as one string, the role <c>developer</c> as <c>system</c>.
/// </summary>
internal static class ChatMessagesReader
{
    public static void Read(RequestFields fields, IBufferWriter<byte> output)
    {
        if (!fields.TryGet("messages", out var messages))
        {
            fields.Fail("messages", "is missing: send at least one message.");
            return;
        }

        if (messages.ValueKind != JsonValueKind.Array)
        {
            fields.Fail("messages", $"must be an array, not {RequestFields.Kind(messages)}.");
            return;
        }

        if (messages.GetArrayLength() == 0)
        {
            fields.Fail("messages", "is empty: send at least one message.");
            return;
        }

        // Its own checks are off: a message at fault is left half written, and nobody reads the rest.
        using var json = new Utf8JsonWriter(output, ApiJson.WriterOptions);
        json.WriteStartArray();
        var index = 0;
        var dialogue = new ToolDialogue();
        foreach (var message in messages.EnumerateArray())
        {
            ReadMessage(fields, $"messages[{index++}]", message, dialogue, json);
            if (fields.Error is not null)
            {
                return;
            }
        }

        dialogue.Other(fields, "messages");
        json.WriteEndArray();
    }

    private static void ReadMessage(RequestFields fields, string path, JsonElement message, ToolDialogue dialogue, Utf8JsonWriter json)
    {
        if (message.ValueKind != JsonValueKind.Object)
        {
            fields.Fail(path, $"must be an object, not {RequestFields.Kind(message)}.");
            return;
        }

        if (ReadRole(fields, path, message) is not { } role)
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("role", role);
        var mayLackContent = role == "assistant" && Present(message, "tool_calls", out _);
        ReadContent(fields, path, message, mayLackContent, json);
        WriteText(fields, path, message, "name", required: false, json);
        if (role == "tool")
        {
            if (WriteText(fields, path, message, "tool_call_id", required: true, json) is { } id)
            {
                dialogue.Answer(fields, path, id);
            }
        }
        else
        {
            dialogue.Other(fields, path);
        }

        if (role == "assistant")
        {
            RefuseOthers(fields, path, message);
            WriteText(fields, path, message, "reasoning_content", required: false, json);
            ToolCallsReader.Read(fields, $"{path}.tool_calls", message, dialogue, json);
        }

        json.WriteEndObject();
    }

    /// <summary>What an assistant's message may have in OpenAI's API, and no chat template reads.</summary>
    private static void RefuseOthers(RequestFields fields, string path, JsonElement message)
    {
        if (Present(message, "refusal", out _))
        {
            fields.Fail($"{path}.refusal", "is not supported: send what the assistant said as 'content'.", "unsupported_parameter");
        }

        if (Present(message, "audio", out _))
        {
            fields.Fail($"{path}.audio", "is not supported: the models served here read text only.", "unsupported_parameter");
        }

        if (Present(message, "function_call", out _))
        {
            fields.Fail($"{path}.function_call", "is the older form of 'tool_calls': send those.", "unsupported_parameter");
        }
    }

    /// <summary>The role as templates know it; null when there is none.</summary>
    private static string? ReadRole(RequestFields fields, string path, JsonElement message)
    {
        if (!Present(message, "role", out var value))
        {
            fields.Fail($"{path}.role", "is missing: send system, developer, user, assistant or tool.");
            return null;
        }

        var role = fields.Text($"{path}.role", value);
        switch (role)
        {
            case null or "system" or "user" or "assistant" or "tool":
                return role;
            case "developer":
                return "system";
            default:
                fields.Fail($"{path}.role", "must be system, developer, user, assistant or tool.");
                return null;
        }
    }

    private static void ReadContent(RequestFields fields, string path, JsonElement message, bool mayLack, Utf8JsonWriter json)
    {
        if (!Present(message, "content", out var content))
        {
            if (mayLack)
            {
                json.WriteNull("content");
            }
            else
            {
                fields.Fail($"{path}.content", "is missing: send a string or an array of text parts.");
            }

            return;
        }

        var text = content.ValueKind switch
        {
            JsonValueKind.String => fields.Text($"{path}.content", content),
            JsonValueKind.Array => JoinParts(fields, $"{path}.content", content),
            _ => null,
        };
        if (text is null)
        {
            fields.Fail($"{path}.content", $"must be a string or an array of text parts, not {RequestFields.Kind(content)}.");
            return;
        }

        json.WriteString("content", text);
    }

    /// <summary>Parts are lines of one text, as vLLM and llama.cpp join them for templates that take strings.</summary>
    private static string? JoinParts(RequestFields fields, string path, JsonElement parts)
    {
        if (parts.GetArrayLength() == 0)
        {
            fields.Fail(path, "is empty: send at least one text part.");
            return null;
        }

        var joined = new StringBuilder();
        var index = 0;
        foreach (var part in parts.EnumerateArray())
        {
            if (ReadPart(fields, $"{path}[{index}]", part) is not { } text)
            {
                return null;
            }

            joined.Append(index++ == 0 ? "" : "\n").Append(text);
        }

        return joined.ToString();
    }

    private static string? ReadPart(RequestFields fields, string path, JsonElement part)
    {
        if (part.ValueKind != JsonValueKind.Object)
        {
            fields.Fail(path, $"must be an object, not {RequestFields.Kind(part)}.");
            return null;
        }

        if (!Present(part, "type", out var type) || !RequestFields.IsText(type, "text"))
        {
            fields.Fail($"{path}.type", "must be \"text\": the models served here read text only.");
            return null;
        }

        if (!Present(part, "text", out var text))
        {
            fields.Fail($"{path}.text", "is missing: send the part's text.");
            return null;
        }

        return fields.Text($"{path}.text", text);
    }

    private static string? WriteText(RequestFields fields, string path, JsonElement message, string name, bool required, Utf8JsonWriter json)
    {
        if (!Present(message, name, out var value))
        {
            if (required)
            {
                fields.Fail($"{path}.{name}", "is missing: a message of the role tool names the call that it answers.");
            }

            return null;
        }

        if (fields.Text($"{path}.{name}", value) is not { } text)
        {
            return null;
        }

        json.WriteString(name, text);
        return text;
    }

    private static bool Present(JsonElement parent, string name, out JsonElement value) =>
        parent.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
}
