using System.Buffers;
using System.Text.Json;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Messages;

/// <summary>Reads <c>tools</c> and <c>tool_choice</c> of Anthropic's API.</summary>
internal static class MessagesToolsReader
{
    private const string ChoiceField = "tool_choice";

    public static ToolRequest Read(RequestFields fields)
    {
        var json = new ArrayBufferWriter<byte>();
        var functions = FunctionReader.ReadAll(fields, json, (path, tool, definitions) => ReadTool(fields, path, tool, definitions));
        var (choice, isSingle) = ReadChoice(fields, [.. functions.Select(function => function.Name)]);
        return ToolRequest.Of(fields, functions, json.WrittenSpan, choice, isSingle);
    }

    private static ToolFunction? ReadTool(RequestFields fields, string path, JsonElement tool, Utf8JsonWriter json)
    {
        if (tool.TryGetProperty("type", out var type) && type.ValueKind != JsonValueKind.Null && !RequestFields.IsText(type, "custom"))
        {
            fields.Fail($"{path}.type", "must be \"custom\": tools that run on the server are not served here.", "unsupported_parameter");
            return null;
        }

        return FunctionReader.Read(fields, path, tool, "input_schema", json);
    }

    private static (ToolChoice Choice, bool IsSingle) ReadChoice(RequestFields fields, IReadOnlyList<string> names)
    {
        var all = new ToolChoice(names, IsRequired: false);
        if (fields.Object(ChoiceField) is not { } value)
        {
            return (all, false);
        }

        var isSingle = value.TryGetProperty("disable_parallel_tool_use", out var single) && single.ValueKind == JsonValueKind.True;
        if (!isSingle && single.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.False or JsonValueKind.Null))
        {
            fields.Fail($"{ChoiceField}.disable_parallel_tool_use", $"must be true or false, not {RequestFields.Kind(single)}.");
        }

        var choice = ReadMode(fields, value, names);
        if (choice.IsRequired && names.Count == 0)
        {
            fields.Fail(ChoiceField, "demands a call, but there are no 'tools'.");
        }

        return (choice, isSingle);
    }

    private static ToolChoice ReadMode(RequestFields fields, JsonElement value, IReadOnlyList<string> names)
    {
        switch (value.TryGetProperty("type", out var type) ? fields.Text($"{ChoiceField}.type", type) : null)
        {
            case "auto":
                return new ToolChoice(names, IsRequired: false);
            case "any":
                return new ToolChoice(names, IsRequired: true);
            case "none":
                return ToolChoice.None;
            case "tool":
                var name = value.TryGetProperty("name", out var named) ? fields.Text($"{ChoiceField}.name", named) : null;
                if (name is null || !names.Contains(name))
                {
                    fields.Fail($"{ChoiceField}.name", "must name one of the 'tools'.");
                    return ToolChoice.None;
                }

                return new ToolChoice([name], IsRequired: true, IsSingle: true);
            default:
                fields.Fail($"{ChoiceField}.type", "must be auto, any, tool or none.");
                return ToolChoice.None;
        }
    }
}
