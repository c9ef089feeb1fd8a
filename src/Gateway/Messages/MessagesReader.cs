using System.Text;
using System.Text.Json;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Messages;

/// <summary>Reads <c>system</c> and <c>messages</c> of Anthropic's API into a conversation.</summary>
internal static class MessagesReader
{
    private static readonly JsonElement _null = JsonDocument.Parse("null").RootElement.Clone();

    private const string TextOnly = "the models served here read text only";

    public static void Read(RequestFields fields, Conversation conversation)
    {
        if (fields.TryGet("system", out var system))
        {
            conversation.System("system", ReadTexts(fields, "system", system));
        }

        if (!fields.TryGet("messages", out var messages) || messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() == 0)
        {
            fields.Fail("messages", "must be an array of at least one message.");
            return;
        }

        var index = 0;
        foreach (var message in messages.EnumerateArray())
        {
            ReadMessage(fields, $"messages[{index++}]", message, conversation);
            if (fields.Error is not null)
            {
                return;
            }
        }

        if (conversation.EndsWithAssistant)
        {
            fields.Fail($"messages[{index - 1}].role", "must be user: the beginning of an answer cannot be given here.", "unsupported_parameter");
        }
    }

    private static void ReadMessage(RequestFields fields, string path, JsonElement message, Conversation conversation)
    {
        if (message.ValueKind != JsonValueKind.Object)
        {
            fields.Fail(path, $"must be an object, not {RequestFields.Kind(message)}.");
            return;
        }

        var isAssistants = RequestFields.IsText(Member(message, "role"), "assistant");
        if (!isAssistants && !RequestFields.IsText(Member(message, "role"), "user"))
        {
            fields.Fail($"{path}.role", "must be user or assistant.");
            return;
        }

        var content = Member(message, "content");
        if (content.ValueKind != JsonValueKind.Array)
        {
            AddText(path, fields.Text($"{path}.content", content) ?? "", isAssistants, conversation);
            return;
        }

        if (content.GetArrayLength() == 0)
        {
            fields.Fail($"{path}.content", "is empty: send at least one block.");
            return;
        }

        // Texts between other blocks are one message; results of calls come before what the user says to them.
        var text = new StringBuilder();
        var isTextOnly = true;
        var index = 0;
        foreach (var block in content.EnumerateArray())
        {
            var at = $"{path}.content[{index++}]";
            if (block.ValueKind == JsonValueKind.Object && RequestFields.IsText(Member(block, "type"), "text"))
            {
                text.Append(text.Length > 0 ? "\n" : "").Append(ReadText(fields, at, block, "text"));
                continue;
            }

            isTextOnly = false;
            Flush(text, path, isAssistants, conversation);
            ReadBlock(fields, at, block, isAssistants, conversation);
            if (fields.Error is not null)
            {
                return;
            }
        }

        // A message is one also where its texts are empty: without it the conversation would be another.
        if (isTextOnly && text.Length == 0)
        {
            AddText(path, "", isAssistants, conversation);
        }

        Flush(text, path, isAssistants, conversation);
    }

    private static void ReadBlock(RequestFields fields, string path, JsonElement block, bool isAssistants, Conversation conversation)
    {
        if (block.ValueKind != JsonValueKind.Object)
        {
            fields.Fail(path, $"must be an object, not {RequestFields.Kind(block)}.");
            return;
        }

        var type = fields.Text($"{path}.type", Member(block, "type"));
        switch (type)
        {
            case "tool_use" when isAssistants:
                var input = RawText(fields, $"{path}.input", Member(block, "input"));
                conversation.AssistantCall(path, ReadText(fields, path, block, "id"), ReadText(fields, path, block, "name"), input);
                break;
            case "thinking" when isAssistants:
                conversation.AssistantReasoning(path, ReadText(fields, path, block, "thinking"));
                break;
            case "tool_result" when !isAssistants:
                var result = Member(block, "content");
                var text = result.ValueKind == JsonValueKind.Null ? "" : ReadTexts(fields, $"{path}.content", result);
                conversation.Result($"{path}.tool_use_id", ReadText(fields, path, block, "tool_use_id"), text);
                break;
            case "tool_use" or "thinking" or "tool_result":
                fields.Fail($"{path}.type", $"is {type}, which does not belong in a message of the role {(isAssistants ? "assistant" : "user")}.");
                break;
            default:
                fields.Fail($"{path}.type", $"must be text, tool_use, tool_result or thinking: {TextOnly}, and no tool runs on the server.", "unsupported_parameter");
                break;
        }
    }

    /// <summary>A text, or blocks of text as lines of one.</summary>
    private static string ReadTexts(RequestFields fields, string path, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            return fields.Text(path, value) ?? "";
        }

        var lines = new List<string>();
        foreach (var block in value.EnumerateArray())
        {
            var at = $"{path}[{lines.Count}]";
            if (block.ValueKind != JsonValueKind.Object || !RequestFields.IsText(Member(block, "type"), "text"))
            {
                fields.Fail($"{at}.type", $"must be text: {TextOnly}.", "unsupported_parameter");
                return "";
            }

            lines.Add(ReadText(fields, at, block, "text"));
        }

        return string.Join('\n', lines);
    }

    private static string ReadText(RequestFields fields, string path, JsonElement parent, string name) => fields.Text($"{path}.{name}", Member(parent, name)) ?? "";

    private static string RawText(RequestFields fields, string path, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Object && ApiJson.Compact(value) is { } json)
        {
            return Encoding.UTF8.GetString(json);
        }

        fields.Fail(path, "must be an object of valid Unicode.");
        return "";
    }

    private static void Flush(StringBuilder text, string path, bool isAssistants, Conversation conversation)
    {
        if (text.Length > 0)
        {
            AddText(path, text.ToString(), isAssistants, conversation);
            text.Clear();
        }
    }

    private static void AddText(string path, string text, bool isAssistants, Conversation conversation)
    {
        if (isAssistants)
        {
            conversation.AssistantText(path, text);
        }
        else
        {
            conversation.User(path, text);
        }
    }

    /// <summary>Null where it is not there.</summary>
    private static JsonElement Member(JsonElement parent, string name) => parent.TryGetProperty(name, out var value) ? value : _null;
}
