using System.Text.Json;
using Serving.Gateway.Http;

namespace Serving.Gateway.Chat;

/// <summary>Validates the <c>tool_calls</c> of an earlier assistant message and writes them for the chat template.</summary>
internal static class ToolCallsReader
{
    /// <param name="path">Where the calls stand in the request, for messages.</param>
    public static void Read(RequestFields fields, string path, JsonElement message, ToolDialogue dialogue, Utf8JsonWriter json)
    {
        if (!message.TryGetProperty("tool_calls", out var calls) || calls.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        if (calls.ValueKind != JsonValueKind.Array || calls.GetArrayLength() == 0)
        {
            fields.Fail(path, "must be an array of at least one call.");
            return;
        }

        json.WriteStartArray("tool_calls");
        var index = 0;
        foreach (var call in calls.EnumerateArray())
        {
            ReadCall(fields, $"{path}[{index++}]", call, dialogue, json);
            if (fields.Error is not null)
            {
                return;
            }
        }

        json.WriteEndArray();
    }

    private static void ReadCall(RequestFields fields, string path, JsonElement call, ToolDialogue dialogue, Utf8JsonWriter json)
    {
        if (call.ValueKind == JsonValueKind.Object && call.TryGetProperty("type", out var type) && !RequestFields.IsText(type, "function"))
        {
            fields.Fail($"{path}.type", "must be \"function\": no other kind of tool is served here.");
            return;
        }

        if (call.ValueKind != JsonValueKind.Object
            || !call.TryGetProperty("function", out var function)
            || function.ValueKind != JsonValueKind.Object)
        {
            fields.Fail(path, "must be an object with a 'function'.");
            return;
        }

        json.WriteStartObject();
        if (Write(fields, path, call, "id", json) is { } id)
        {
            dialogue.Call(fields, path, id);
        }

        json.WriteString("type", "function");
        json.WriteStartObject("function");
        Write(fields, $"{path}.function", function, "name", json);
        Write(fields, $"{path}.function", function, "arguments", json);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string? Write(RequestFields fields, string path, JsonElement parent, string name, Utf8JsonWriter json)
    {
        if (!parent.TryGetProperty(name, out var value))
        {
            fields.Fail($"{path}.{name}", "is missing.");
            return null;
        }

        if (fields.Text($"{path}.{name}", value) is not { } text)
        {
            return null;
        }

        json.WriteString(name, text);
        return text;
    }
}
