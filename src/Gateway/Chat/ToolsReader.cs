using System.Buffers;
using System.Text.Json;
using Google.Protobuf;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;

namespace Serving.Gateway.Chat;

/// <summary>What a request says of tools.</summary>
/// <param name="Json">Definitions for the chat template; empty: the model does not hear of any.</param>
/// <param name="Parameters">Null: nothing is called.</param>
internal sealed record ToolRequest(ByteString Json, ToolParameters? Parameters)
{
    public static ToolRequest None { get; } = new(ByteString.Empty, null);
}

/// <summary>Validates <c>tools</c>, <c>tool_choice</c> and <c>parallel_tool_calls</c>, and writes the definitions in canonical JSON.</summary>
internal static class ToolsReader
{
    private const int ToolsMax = 128;
    private const int NameLengthMax = 64;

    public static ToolRequest Read(RequestFields fields)
    {
        var singleCall = fields.Boolean("parallel_tool_calls") == false;
        var json = new ArrayBufferWriter<byte>();
        var names = ReadTools(fields, json);
        var choice = ToolChoiceReader.Read(fields, names);
        if (names.Count == 0 || choice.Functions.Count == 0)
        {
            // Without a choice, tools are not shown either: a model that sees some calls them.
            return ToolRequest.None;
        }

        var parameters = new ToolParameters { SingleCall = singleCall };
        parameters.Functions.AddRange(choice.Functions);
        return new ToolRequest(ByteString.CopyFrom(json.WrittenSpan), parameters);
    }

    /// <summary>The names of all functions, in order.</summary>
    private static List<string> ReadTools(RequestFields fields, IBufferWriter<byte> output)
    {
        var names = new List<string>();
        if (!fields.TryGet("tools", out var tools))
        {
            return names;
        }

        if (tools.ValueKind != JsonValueKind.Array)
        {
            fields.Fail("tools", $"must be an array, not {RequestFields.Kind(tools)}.");
            return names;
        }

        if (tools.GetArrayLength() > ToolsMax)
        {
            fields.Fail("tools", $"has {tools.GetArrayLength()} tools; at most {ToolsMax} are allowed.");
            return names;
        }

        using var json = new Utf8JsonWriter(output, ChatJson.WriterOptions);
        json.WriteStartArray();
        var index = 0;
        foreach (var tool in tools.EnumerateArray())
        {
            var path = $"tools[{index++}]";
            if (ReadTool(fields, path, tool, json) is not { } name)
            {
                return names;
            }

            if (names.Contains(name))
            {
                fields.Fail($"{path}.function.name", $"is '{name}', as another tool's: give each function a name of its own.");
                return names;
            }

            names.Add(name);
        }

        json.WriteEndArray();
        return names;
    }

    private static string? ReadTool(RequestFields fields, string path, JsonElement tool, Utf8JsonWriter json)
    {
        if (tool.ValueKind != JsonValueKind.Object)
        {
            fields.Fail(path, $"must be an object, not {RequestFields.Kind(tool)}.");
            return null;
        }

        if (!tool.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String || !type.ValueEquals("function"))
        {
            fields.Fail($"{path}.type", "must be \"function\": no other kind of tool is served here.");
            return null;
        }

        if (!tool.TryGetProperty("function", out var function) || function.ValueKind != JsonValueKind.Object)
        {
            fields.Fail($"{path}.function", "must be an object with the function's name, description and parameters.");
            return null;
        }

        return ReadFunction(fields, $"{path}.function", function, json);
    }

    private static string? ReadFunction(RequestFields fields, string path, JsonElement function, Utf8JsonWriter json)
    {
        if (!function.TryGetProperty("name", out var value))
        {
            fields.Fail($"{path}.name", "is missing.");
            return null;
        }

        if (fields.Text($"{path}.name", value) is not { } name)
        {
            return null;
        }

        if (name.Length is 0 or > NameLengthMax || !name.All(IsNamePart))
        {
            fields.Fail($"{path}.name", $"must have 1 to {NameLengthMax} letters, digits, underscores and dashes.");
            return null;
        }

        json.WriteStartObject();
        json.WriteString("type", "function");
        json.WriteStartObject("function");
        json.WriteString("name", name);
        if (Present(function, "description", out var description))
        {
            json.WriteString("description", fields.Text($"{path}.description", description));
        }

        ReadStrict(fields, $"{path}.strict", function);
        ReadParameters(fields, $"{path}.parameters", function, json);
        json.WriteEndObject();
        json.WriteEndObject();
        return fields.Error is null ? name : null;
    }

    private static void ReadStrict(RequestFields fields, string path, JsonElement function)
    {
        if (!Present(function, "strict", out var strict) || strict.ValueKind == JsonValueKind.False)
        {
            return;
        }

        if (strict.ValueKind == JsonValueKind.True)
        {
            fields.Fail(path, "is not supported here yet: leave it out, and check the arguments.", "unsupported_parameter");
        }
        else
        {
            fields.Fail(path, $"must be true or false, not {RequestFields.Kind(strict)}.");
        }
    }

    private static void ReadParameters(RequestFields fields, string path, JsonElement function, Utf8JsonWriter json)
    {
        json.WritePropertyName("parameters");
        if (!Present(function, "parameters", out var schema))
        {
            // Left out: a function without parameters. Templates expect a schema.
            json.WriteStartObject();
            json.WriteString("type", "object");
            json.WriteStartObject("properties");
            json.WriteEndObject();
            json.WriteEndObject();
            return;
        }

        if (schema.ValueKind != JsonValueKind.Object)
        {
            fields.Fail(path, $"must be a JSON schema, an object, not {RequestFields.Kind(schema)}.");
            return;
        }

        if (schema.TryGetProperty("type", out var type) && (type.ValueKind != JsonValueKind.String || !type.ValueEquals("object")))
        {
            fields.Fail(path, $"must be the schema of an object: its 'type' is {type.GetRawText()}, not \"object\".");
            return;
        }

        schema.WriteTo(json);
    }

    private static bool IsNamePart(char unit) => char.IsAsciiLetterOrDigit(unit) || unit is '_' or '-';

    private static bool Present(JsonElement parent, string name, out JsonElement value) =>
        parent.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
}
