using System.Buffers;
using System.Text.Json;
using Serving.Gateway.Http;

namespace Serving.Gateway.Generation;

/// <summary>Reads the definitions of functions that answers may call.</summary>
internal static class FunctionReader
{
    private const int ToolsMax = 128;
    private const int NameLengthMax = 64;

    /// <summary>All functions of <c>tools</c>, in order, of which the definitions are written as one array.</summary>
    /// <param name="read">Reads one tool, an object, by its path.</param>
    public static List<ToolFunction> ReadAll(
        RequestFields fields, IBufferWriter<byte> output, Func<string, JsonElement, Utf8JsonWriter, ToolFunction?> read)
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
            if (tool.ValueKind != JsonValueKind.Object)
            {
                fields.Fail(path, $"must be an object, not {RequestFields.Kind(tool)}.");
                return functions;
            }

            if (read(path, tool, json) is not { } function)
            {
                return functions;
            }

            if (functions.Any(other => other.Name == function.Name))
            {
                fields.Fail($"{function.Path}.name", $"is '{function.Name}', as another tool's: give each function a name of its own.");
                return functions;
            }

            functions.Add(function);
        }

        json.WriteEndArray();
        return functions;
    }

    /// <summary>The function, of which the definition is written as the chat template reads it; null: something is wrong.</summary>
    /// <param name="function">An object.</param>
    /// <param name="schemaField">What the API calls the schema of the arguments.</param>
    public static ToolFunction? Read(RequestFields fields, string path, JsonElement function, string schemaField, Utf8JsonWriter json)
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
        var schema = ReadSchema(fields, path, function, schemaField, json);
        json.WriteEndObject();
        json.WriteEndObject();
        return fields.Error is null ? new ToolFunction(name, schema, isStrict, path, schemaField) : null;
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
    private static string? ReadSchema(RequestFields fields, string parent, JsonElement function, string schemaField, Utf8JsonWriter json)
    {
        var path = $"{parent}.{schemaField}";
        json.WritePropertyName("parameters");
        if (!Present(function, schemaField, out var schema))
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
}
