using System.Buffers;
using System.Text.Json;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Responses;

/// <summary>Reads <c>tools</c>, <c>tool_choice</c> and <c>parallel_tool_calls</c> of <c>/v1/responses</c>.</summary>
internal static class ResponseToolsReader
{
    public static ToolRequest Read(RequestFields fields)
    {
        var isSingle = fields.Boolean("parallel_tool_calls") == false;
        var json = new ArrayBufferWriter<byte>();
        var functions = FunctionReader.ReadAll(fields, json, (path, tool, definitions) => ReadTool(fields, path, tool, definitions));
        var choice = ToolChoiceReader.Read(fields, [.. functions.Select(function => function.Name)], isFlat: true);
        return ToolRequest.Of(fields, functions, json.WrittenSpan, choice, isSingle);
    }

    private static ToolFunction? ReadTool(RequestFields fields, string path, JsonElement tool, Utf8JsonWriter json)
    {
        if (!tool.TryGetProperty("type", out var type) || !RequestFields.IsText(type, "function"))
        {
            fields.Fail($"{path}.type", "must be \"function\": no other kind of tool is served here.", "unsupported_parameter");
            return null;
        }

        if (tool.TryGetProperty("defer_loading", out var defer) && defer.ValueKind is not (JsonValueKind.False or JsonValueKind.Null))
        {
            fields.Fail($"{path}.defer_loading", "is not supported: no tool is searched for here.", "unsupported_parameter");
            return null;
        }

        return FunctionReader.Read(fields, path, tool, "parameters", json);
    }
}
