using System.Text.Json;
using System.Text.Json.Nodes;
using Serving.Contracts.Internal;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Responses;

/// <summary>What a response is made of: the prompt, and the items of it that are kept.</summary>
/// <param name="Items">What was asked and answered before, and the request's own input.</param>
internal sealed record ResponsePrompt(ChatPrompt Chat, ToolRequest Tools, JsonArray Items)
{
    /// <param name="before">The items of the response before; null: there is none.</param>
    public static ResponsePrompt Read(RequestFields fields, ResponseId id, JsonElement? before)
    {
        using var conversation = new Conversation(fields, "function_call_output");
        var input = new ResponseInput(fields, conversation, id);
        if (fields.TryGet("instructions", out var instructions) && fields.Text("instructions", instructions) is { } text)
        {
            conversation.System("instructions", text);
        }

        if (before is { } items)
        {
            input.ReadBefore(items);
        }

        input.Read();
        var tools = ResponseToolsReader.Read(fields);
        var chat = new ChatPrompt
        {
            MessagesJson = conversation.ToJson(),
            ToolsJson = tools.Json,
            TemplateArgumentsJson = TemplateArgumentsReader.Read(fields),
            AddGenerationPrompt = true,
            ReasoningEffort = ReadEffort(fields),
        };
        return new ResponsePrompt(chat, tools, input.Items);
    }

    private static ReasoningEffort? ReadEffort(RequestFields fields)
    {
        const string field = "reasoning";
        if (fields.Object(field) is not { } reasoning)
        {
            return null;
        }

        foreach (var (name, neutral) in (ReadOnlySpan<(string, string)>)[("summary", ""), ("generate_summary", ""), ("context", "auto"), ("mode", "standard")])
        {
            if (reasoning.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null && !(neutral.Length > 0 && RequestFields.IsText(value, neutral)))
            {
                UnsupportedFields.Refuse(fields, $"{field}.{name}");
            }
        }

        return ReasoningEffortReader.ReadOf(fields, field, reasoning);
    }
}
