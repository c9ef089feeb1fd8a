using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Serving.Text.Templates;
using Serving.Text.ToolCalls.Forms;

namespace Serving.Text.ToolCalls;

/// <summary>Rewrites the messages of a conversation with tools.</summary>
internal static class ToolMessages
{
    private static readonly JsonWriterOptions _writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The messages with calls' arguments as objects. A string that holds none stays one.</summary>
    public static ReadOnlyMemory<byte> WithObjects(ReadOnlyMemory<byte> messagesJson) => Rewrite(messagesJson, (messages, json) =>
    {
        foreach (JsonElement message in messages.EnumerateArray())
        {
            CopyWithObjects(message, json);
        }
    });

    /// <summary>The messages with tools, calls and results as text.</summary>
    public static ReadOnlyMemory<byte> InHermesForm(ReadOnlyMemory<byte> messagesJson, ReadOnlyMemory<byte> toolsJson) => Rewrite(messagesJson, (messages, json) =>
    {
        string? tools = toolsJson.IsEmpty ? null : Describe(toolsJson);
        JsonElement[] rest = [.. messages.EnumerateArray()];
        if (tools is not null)
        {
            bool hasSystem = rest.Length > 0 && RoleOf(rest[0]) == "system";
            WriteMessage(json, "system", hasSystem ? $"{ContentOf(rest[0])}\n\n{tools}" : tools);
            rest = hasSystem ? rest[1..] : rest;
        }

        for (int i = 0; i < rest.Length; i++)
        {
            if (RoleOf(rest[i]) == "tool")
            {
                // Templates that want turns to alternate get one turn for all results.
                StringBuilder results = new();
                for (; i < rest.Length && RoleOf(rest[i]) == "tool"; i++)
                {
                    results.Append(results.Length == 0 ? "" : "\n").Append($"<tool_response>\n{ContentOf(rest[i])}\n</tool_response>");
                }

                i--;
                WriteMessage(json, "user", results.ToString());
            }
            else if (rest[i].TryGetProperty("tool_calls", out JsonElement calls) && calls.ValueKind == JsonValueKind.Array)
            {
                string blocks = string.Join("\n", calls.EnumerateArray().Select(Block));
                WriteMessage(json, RoleOf(rest[i]), ContentOf(rest[i]) is { Length: > 0 } content ? $"{content}\n{blocks}" : blocks);
            }
            else
            {
                rest[i].WriteTo(json);
            }
        }
    });

    private static ReadOnlyMemory<byte> Rewrite(ReadOnlyMemory<byte> messagesJson, Action<JsonElement, Utf8JsonWriter> write)
    {
        try
        {
            using JsonDocument messages = JsonDocument.Parse(messagesJson);
            ArrayBufferWriter<byte> output = new(messagesJson.Length);
            using Utf8JsonWriter json = new(output, _writing);
            json.WriteStartArray();
            write(messages.RootElement, json);
            json.WriteEndArray();
            json.Flush();
            return output.WrittenMemory;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw JsonInput.Fault($"messages or tools are not valid JSON: {exception.Message}");
        }
    }

    private static void CopyWithObjects(JsonElement element, Utf8JsonWriter json)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                json.WriteStartObject();
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    json.WritePropertyName(property.Name);
                    if (property.NameEquals("arguments") && property.Value.ValueKind == JsonValueKind.String)
                    {
                        WriteArguments(property.Value.GetString()!, json);
                    }
                    else
                    {
                        CopyWithObjects(property.Value, json);
                    }
                }

                json.WriteEndObject();
                break;
            case JsonValueKind.Array:
                json.WriteStartArray();
                foreach (JsonElement item in element.EnumerateArray())
                {
                    CopyWithObjects(item, json);
                }

                json.WriteEndArray();
                break;
            default:
                element.WriteTo(json);
                break;
        }
    }

    private static void WriteArguments(string arguments, Utf8JsonWriter json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(arguments.Length == 0 ? "{}" : arguments);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                document.RootElement.WriteTo(json);
                return;
            }
        }
        catch (JsonException)
        {
            // A call that was cut off, sent back as it came.
        }

        json.WriteStringValue(arguments);
    }

    private static string Describe(ReadOnlyMemory<byte> toolsJson)
    {
        using JsonDocument tools = JsonDocument.Parse(toolsJson);
        return $$$"""
            You can call functions. Their definitions, a JSON object a line, stand between <tools> and </tools>:
            <tools>
            {{{string.Join("\n", tools.RootElement.EnumerateArray().Select(tool => tool.GetRawText()))}}}
            </tools>
            To call one, write its name and its arguments as a JSON object in this form, a block for each call and nothing after the last:
            {{{HermesGrammar.Begin}}}
            {"name": "the function's name", "arguments": {"the argument's name": "its value"}}
            {{{HermesGrammar.End}}}
            The results come back between <tool_response> and </tool_response>. Where no call helps, answer in plain text.
            """;
    }

    private static string Block(JsonElement call)
    {
        JsonElement function = call.GetProperty("function");
        string arguments = function.GetProperty("arguments").GetString() is { Length: > 0 } text ? text : "{}";
        return $"{HermesGrammar.Begin}\n{{\"name\": {function.GetProperty("name").GetRawText()}, \"arguments\": {arguments}}}\n{HermesGrammar.End}";
    }

    private static void WriteMessage(Utf8JsonWriter json, string role, string content)
    {
        json.WriteStartObject();
        json.WriteString("role"u8, role);
        json.WriteString("content"u8, content);
        json.WriteEndObject();
    }

    private static string RoleOf(JsonElement message) => message.GetProperty("role").GetString()!;

    private static string ContentOf(JsonElement message) =>
        message.TryGetProperty("content", out JsonElement content) && content.ValueKind == JsonValueKind.String ? content.GetString()! : "";
}
