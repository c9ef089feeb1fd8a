using System.Text.Json;
using Serving.Gateway.Http;

namespace Serving.Gateway.Generation;

/// <summary>Reads <c>tool_choice</c>: a mode, one function, or some of them (<c>allowed_tools</c>).</summary>
internal static class ToolChoiceReader
{
    private const string Field = "tool_choice";

    /// <param name="isFlat">Whether functions and their like have their members themselves, as in <c>/v1/responses</c>, and not in an object of the type's name.</param>
    public static ToolChoice Read(RequestFields fields, IReadOnlyList<string> names, bool isFlat = false)
    {
        var all = new ToolChoice(names, IsRequired: false);
        if (!fields.TryGet(Field, out var value))
        {
            return all;
        }

        var choice = value.ValueKind switch
        {
            JsonValueKind.String => OfMode(fields, Field, value, names),
            JsonValueKind.Object => OfObject(fields, value, names, isFlat),
            _ => null,
        };
        if (choice is null)
        {
            fields.Fail(Field, "must be none, auto, required, or an object that names a function.");
            return all;
        }

        if (choice.Value.IsRequired && names.Count == 0)
        {
            fields.Fail(Field, "demands a call, but there are no 'tools'.");
        }

        return choice.Value;
    }

    private static ToolChoice? OfMode(RequestFields fields, string path, JsonElement value, IReadOnlyList<string> names)
    {
        switch (fields.Text(path, value))
        {
            case "none":
                return ToolChoice.None;
            case "auto":
                return new ToolChoice(names, IsRequired: false);
            case "required":
                return new ToolChoice(names, IsRequired: true);
            default:
                return null;
        }
    }

    private static ToolChoice? OfObject(RequestFields fields, JsonElement value, IReadOnlyList<string> names, bool isFlat)
    {
        var type = value.TryGetProperty("type", out var element) ? element : default;
        if (RequestFields.IsText(type, "function"))
        {
            return ReadName(fields, Field, value, names, isFlat) is { } name ? new ToolChoice([name], IsRequired: true, IsSingle: true) : ToolChoice.None;
        }

        if (RequestFields.IsText(type, "allowed_tools"))
        {
            return OfAllowed(fields, value, names, isFlat);
        }

        fields.Fail($"{Field}.type", "must be function or allowed_tools.");
        return ToolChoice.None;
    }

    private static ToolChoice OfAllowed(RequestFields fields, JsonElement value, IReadOnlyList<string> names, bool isFlat)
    {
        var path = isFlat ? Field : $"{Field}.allowed_tools";
        var allowed = value;
        if (!isFlat && (!value.TryGetProperty("allowed_tools", out allowed) || allowed.ValueKind != JsonValueKind.Object))
        {
            fields.Fail(path, "must be an object with a 'mode' and 'tools'.");
            return ToolChoice.None;
        }

        if (!allowed.TryGetProperty("mode", out var mode) || !RequestFields.IsText(mode, "auto", "required"))
        {
            fields.Fail($"{path}.mode", "must be auto or required.");
            return ToolChoice.None;
        }

        if (!allowed.TryGetProperty("tools", out var tools) || tools.ValueKind != JsonValueKind.Array || tools.GetArrayLength() == 0)
        {
            fields.Fail($"{path}.tools", "must be an array of at least one tool.");
            return ToolChoice.None;
        }

        var functions = new List<string>();
        foreach (var tool in tools.EnumerateArray())
        {
            if (ReadName(fields, $"{path}.tools[{functions.Count}]", tool, names, isFlat) is not { } name)
            {
                return ToolChoice.None;
            }

            functions.Add(name);
        }

        return new ToolChoice(functions, RequestFields.IsText(mode, "required"));
    }

    /// <summary>The function that an object names, which must be one of the request's.</summary>
    private static string? ReadName(RequestFields fields, string parent, JsonElement tool, IReadOnlyList<string> names, bool isFlat)
    {
        if (tool.ValueKind == JsonValueKind.Object && tool.TryGetProperty("type", out var type) && !RequestFields.IsText(type, "function"))
        {
            fields.Fail($"{parent}.type", "must be \"function\": no other kind of tool is served here.");
            return null;
        }

        var path = isFlat ? $"{parent}.name" : $"{parent}.function.name";
        var function = tool;
        if (tool.ValueKind != JsonValueKind.Object
            || (!isFlat && (!tool.TryGetProperty("function", out function) || function.ValueKind != JsonValueKind.Object))
            || !function.TryGetProperty("name", out var value))
        {
            fields.Fail(path, "is missing: name one of the functions in 'tools'.");
            return null;
        }

        var name = fields.Text(path, value);
        if (name is not null && !names.Contains(name))
        {
            fields.Fail(path, $"is '{name}', and no function in 'tools' is called so.");
        }

        return name;
    }
}
