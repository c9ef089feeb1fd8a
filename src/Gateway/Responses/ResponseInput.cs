using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Responses;

/// <summary>
/// Reads items, those of <c>input</c> and those of a stored response before it, into a conversation, and keeps them in the form in which
/// <c>GET /v1/responses/{id}/input_items</c> shows them.
/// </summary>
internal sealed class ResponseInput(RequestFields fields, Conversation conversation, ResponseId id)
{
    private const string Field = "input";
    private const string TextOnly = "the models served here read text only";
    private static readonly JsonElement _null = JsonDocument.Parse("null").RootElement.Clone();

    /// <summary>All items so far.</summary>
    public JsonArray Items { get; } = [];

    /// <summary>Reads what was asked and answered before.</summary>
    public void ReadBefore(JsonElement items) => ReadItems("previous_response_id", items);

    public void Read()
    {
        if (!fields.TryGet(Field, out var input))
        {
            fields.Fail(Field, "is missing: send a text or an array of items.");
            return;
        }

        if (input.ValueKind == JsonValueKind.String)
        {
            AddMessage(Field, _null, "user", fields.Text(Field, input) ?? "");
        }
        else if (input.ValueKind != JsonValueKind.Array || input.GetArrayLength() == 0)
        {
            fields.Fail(Field, "must be a text or an array of at least one item.");
        }
        else
        {
            ReadItems(Field, input);
        }
    }

    private void ReadItems(string path, JsonElement items)
    {
        var index = 0;
        foreach (var item in items.EnumerateArray())
        {
            ReadItem($"{path}[{index++}]", item);
            if (fields.Error is not null)
            {
                return;
            }
        }
    }

    private void ReadItem(string path, JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object)
        {
            fields.Fail(path, $"must be an object, not {RequestFields.Kind(item)}.");
            return;
        }

        var type = Member(item, "type");
        switch (type.ValueKind == JsonValueKind.Null ? "message" : fields.Text($"{path}.type", type))
        {
            case "message":
                ReadMessage(path, item);
                break;
            case "function_call":
                ReadCall(path, item);
                break;
            case "function_call_output":
                ReadOutput(path, item);
                break;
            case "reasoning":
                ReadReasoning(path, item);
                break;
            default:
                fields.Fail(
                    $"{path}.type", "must be message, function_call, function_call_output or reasoning: no other kind of item is served here.", "unsupported_parameter");
                break;
        }
    }

    private void ReadMessage(string path, JsonElement item)
    {
        var role = fields.Text($"{path}.role", Member(item, "role"));
        if (role is not ("user" or "assistant" or "system" or "developer"))
        {
            fields.Fail($"{path}.role", "must be user, assistant, system or developer.");
            return;
        }

        AddMessage(path, item, role, ReadTexts($"{path}.content", Member(item, "content"), role == "assistant" ? ["output_text", "input_text"] : ["input_text"]));
    }

    private void AddMessage(string path, JsonElement item, string role, string text)
    {
        switch (role)
        {
            case "assistant":
                conversation.AssistantText(path, text);
                break;
            case "user":
                conversation.User(path, text);
                break;
            default:
                conversation.System(path, text);
                break;
        }

        var part = role == "assistant"
            ? new JsonObject { ["type"] = "output_text", ["text"] = text, ["annotations"] = new JsonArray(), ["logprobs"] = new JsonArray() }
            : new JsonObject { ["type"] = "input_text", ["text"] = text };
        Keep(path, item, "message", "msg_", new JsonObject { ["role"] = role, ["content"] = new JsonArray(part) });
    }

    private void ReadCall(string path, JsonElement item)
    {
        var (call, name, arguments) = (ReadText(path, item, "call_id"), ReadText(path, item, "name"), ReadText(path, item, "arguments"));
        conversation.AssistantCall($"{path}.call_id", call, name, arguments);
        Keep(path, item, "function_call", "fc_", new JsonObject { ["call_id"] = call, ["name"] = name, ["arguments"] = arguments });
    }

    private void ReadOutput(string path, JsonElement item)
    {
        var call = ReadText(path, item, "call_id");
        var output = ReadTexts($"{path}.output", Member(item, "output"), ["input_text"]);
        conversation.Result($"{path}.call_id", call, output);
        Keep(path, item, "function_call_output", "fco_", new JsonObject { ["call_id"] = call, ["output"] = output });
    }

    /// <summary>What the model has written for itself comes in plain text; what another platform has encrypted cannot be read.</summary>
    private void ReadReasoning(string path, JsonElement item)
    {
        if (Member(item, "encrypted_content").ValueKind != JsonValueKind.Null)
        {
            fields.Fail($"{path}.encrypted_content", "cannot be read here: send the reasoning's 'content', or leave the item out.", "unsupported_parameter");
        }

        var content = Member(item, "content");
        if (content.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        var text = ReadTexts($"{path}.content", content, ["reasoning_text"]);
        conversation.AssistantReasoning(path, text);
        Keep(path, item, "reasoning", "rs_", new JsonObject
        {
            ["summary"] = new JsonArray(),
            ["content"] = new JsonArray(new JsonObject { ["type"] = "reasoning_text", ["text"] = text }),
        });
    }

    private void Keep(string path, JsonElement item, string type, string kind, JsonObject members)
    {
        var own = item.ValueKind == JsonValueKind.Object && item.TryGetProperty("id", out var value) && value.ValueKind != JsonValueKind.Null
            ? fields.Text($"{path}.id", value)
            : null;
        var kept = new JsonObject { ["id"] = own ?? id.OfInput(kind, Items.Count), ["type"] = type, ["status"] = "completed" };
        foreach (var (name, node) in members.ToArray())
        {
            members.Remove(name);
            kept[name] = node;
        }

        Items.Add((JsonNode)kept);
    }

    /// <summary>A text, or parts of text as lines of one.</summary>
    private string ReadTexts(string path, JsonElement value, ReadOnlySpan<string> types)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            return fields.Text(path, value) ?? "";
        }

        var text = new StringBuilder();
        var index = 0;
        foreach (var part in value.EnumerateArray())
        {
            var at = $"{path}[{index}]";
            if (part.ValueKind != JsonValueKind.Object || !RequestFields.IsText(Member(part, "type"), types))
            {
                fields.Fail($"{at}.type", $"must be {types[0]}: {TextOnly}.", "unsupported_parameter");
                return "";
            }

            text.Append(index++ > 0 ? "\n" : "").Append(ReadText(at, part, "text"));
        }

        return text.ToString();
    }

    private string ReadText(string path, JsonElement parent, string name) => fields.Text($"{path}.{name}", Member(parent, name)) ?? "";

    /// <summary>Null where it is not there.</summary>
    private static JsonElement Member(JsonElement parent, string name) => parent.TryGetProperty(name, out var value) ? value : _null;
}
