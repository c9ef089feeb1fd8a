using System.Buffers;
using System.Text.Json;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Chat;

/// <summary>Validates <c>tools</c>, <c>tool_choice</c> and <c>parallel_tool_calls</c>, and writes the definitions in canonical JSON.</summary>
internal static class ToolsReader
{
    public static ToolRequest Read(RequestFields fields)
    {
        var isSingle = fields.Boolean("parallel_tool_calls") == false;
        var json = new ArrayBufferWriter<byte>();
        var functions = FunctionReader.ReadAll(fields, json, (path, tool, definitions) => ReadTool(fields, path, tool, definitions));
        var choice = ToolChoiceReader.Read(fields, [.. functions.Select(function => function.Name)]);
        return ToolRequest.Of(fields, functions, json.WrittenSpan, choice, isSingle);
    }

    private static ToolFunction? ReadTool(RequestFields fields, string path, JsonElement tool, Utf8JsonWriter json)
    {
        if (!tool.TryGetProperty("type", out var type) || !RequestFields.IsText(type, "function"))
        {
            fields.Fail($"{path}.type", "must be \"function\": no other kind of tool is served here.");
            return null;
        }

        if (!tool.TryGetProperty("function", out var function) || function.ValueKind != JsonValueKind.Object)
        {
            fields.Fail($"{path}.function", "must be an object with the function's name, description and parameters.");
            return null;
        }

        return FunctionReader.Read(fields, $"{path}.function", function, "parameters", json);
    }
}
