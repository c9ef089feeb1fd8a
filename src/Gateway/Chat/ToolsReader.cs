using System.Buffers;
using System.Text.Json;
using Google.Protobuf;
using Serving.Contracts.Internal;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Chat;

/// <summary>Validates <c>tools</c>, <c>tool_choice</c> and <c>parallel_tool_calls</c>, and writes the definitions in canonical JSON.</summary>
internal static class ToolsReader
{
    private const int ToolsMax = 128;
    private const int NameLengthMax = 64;

    /// <summary>A function whose parameters are left out has none.</summary>
    private const string NoParameters = """{"type":"object","properties":{},"additionalProperties":false}""";

    public static ToolRequest Read(RequestFields fields)
    {
        var singleCall = fields.Boolean("parallel_tool_calls") == false;
        var json = new ArrayBufferWriter<byte>();
        var functions = ReadTools(fields, json);
        var choice = ToolChoiceReader.Read(fields, [.. functions.Select(function => function.Name)]);
        if (functions.Count == 0 || choice.Functions.Count == 0 || fields.Error is not null)
        {
            // Without a choice, tools are not shown either: a model that sees some calls them.
            return ToolRequest.None;
        }

        var parameters = new ToolParameters { SingleCall = singleCall || choice.IsSingle, IsRequired = choice.IsRequired };
        parameters.Functions.AddRange(choice.Functions);
        var callable = functions.Where(function => choice.Functions.Contains(function.Name)).ToDictionary(function => function.Name);
        if (choice.IsRequired || callable.Values.Any(function => function.IsStrict))
        {
            parameters.Arguments.AddRange(choice.Functions.Select(name => ArgumentsOf(fields, callable[name], choice.IsRequired)));
        }

        return new ToolRequest(ByteString.CopyFrom(json.WrittenSpan), parameters);
    }

    /// <summary>
    /// What the arguments of a function are held to: its schema where it is strict, and where a call is required and the schema can be held; any object
    /// otherwise.
    /// </summary>
    private static Constraint ArgumentsOf(RequestFields fields, ToolFunction function, bool isRequired)
    {
        var schema = new Constraint { JsonSchema = function.Schema ?? NoParameters };
        if (function.IsStrict && ConstraintReader.FindFault(schema) is { } fault)
        {
            fields.Fail($"{function.Path}.parameters{fault.Path}", fault.Reason, "invalid_value");
        }

        return function.IsStrict || (isRequired && ConstraintReader.FindFault(schema) is null) ? schema : new Constraint { JsonObject = new AnyJsonObject() };
    }

    /// <summary>All functions, in order.</summary>
    private static List<ToolFunction> ReadTools(RequestFields fields, IBufferWriter<byte> output)
    {
        var functions = new List<ToolFunction>();
        if (!fields.TryGet("tools", out var tools))
        {
            return functions;
        }

        if (tools.ValueKind != JsonValueKind.Array)
        {
            fields.Fail("tools", $"must be an array, not {RequestFields.Kind(tools)}.");
            return functions;
        }

        if (tools.GetArrayLength() > ToolsMax)
        {
            fields.Fail("tools", $"has {tools.GetArrayLength()} tools; at most {ToolsMax} are allowed.");
            return functions;
        }

        using var json = new Utf8JsonWriter(output, ApiJson.WriterOptions);
        json.WriteStartArray();
        var index = 0;
        foreach (var tool in tools.EnumerateArray())
        {
            var path = $"tools[{index++}]";
            if (ReadTool(fields, path, tool, json) is not { } function)
            {
                return functions;
            }

            if (functions.Any(other => other.Name == function.Name))
            {
                fields.Fail($"{path}.function.name", $"is '{function.Name}', as another tool's: give each function a name of its own.");
                return functions;
            }

            functions.Add(function);
        }

        json.WriteEndArray();
        return functions;
    }

    private static ToolFunction? ReadTool(RequestFields fields, string path, JsonElement tool, Utf8JsonWriter json)
    {
        if (tool.ValueKind != JsonValueKind.Object)
        {
            fields.Fail(path, $"must be an object, not {RequestFields.Kind(tool)}.");
            return null;
        }

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

        return ReadFunction(fields, $"{path}.function", function, json);
    }

    private static ToolFunction? ReadFunction(RequestFields fields, string path, JsonElement function, Utf8JsonWriter json)
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

        var isStrict = ReadStrict(fields, $"{path}.strict", function);
        var schema = ReadParameters(fields, $"{path}.parameters", function, json);
        json.WriteEndObject();
        json.WriteEndObject();
        return fields.Error is null ? new ToolFunction(name, schema, isStrict, path) : null;
    }

    private static bool ReadStrict(RequestFields fields, string path, JsonElement function)
    {
        if (Present(function, "strict", out var strict) && strict.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            fields.Fail(path, $"must be true or false, not {RequestFields.Kind(strict)}.");
        }

        return strict.ValueKind == JsonValueKind.True;
    }

    /// <summary>The schema, which is written; null where there is none.</summary>
    private static string? ReadParameters(RequestFields fields, string path, JsonElement function, Utf8JsonWriter json)
    {
        json.WritePropertyName("parameters");
        if (!Present(function, "parameters", out var schema))
        {
            // Templates expect a schema.
            json.WriteStartObject();
            json.WriteString("type", "object");
            json.WriteStartObject("properties");
            json.WriteEndObject();
            json.WriteEndObject();
            return null;
        }

        if (schema.ValueKind != JsonValueKind.Object)
        {
            fields.Fail(path, $"must be a JSON schema, an object, not {RequestFields.Kind(schema)}.");
            return null;
        }

        if (schema.TryGetProperty("type", out var type) && !RequestFields.IsText(type, "object"))
        {
            fields.Fail(path, $"must be the schema of an object: its 'type' is {type.GetRawText()}, not \"object\".");
            return null;
        }

        try
        {
            schema.WriteTo(json);
        }
        catch (InvalidOperationException)
        {
            fields.Fail(path, "has half of a surrogate pair: its text is no valid Unicode.");
        }

        return schema.GetRawText();
    }

    private static bool IsNamePart(char unit) => char.IsAsciiLetterOrDigit(unit) || unit is '_' or '-';

    private static bool Present(JsonElement parent, string name, out JsonElement value) =>
        parent.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    /// <param name="Schema">Null: it has no parameters.</param>
    /// <param name="Path">Where it stands in the request.</param>
    private sealed record ToolFunction(string Name, string? Schema, bool IsStrict, string Path);
}
