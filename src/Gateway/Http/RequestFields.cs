using System.Text.Json;

namespace Serving.Gateway.Http;

/// <summary>
/// Reads the fields of one JSON object. The first mistake is kept and names its field; what is read after it does not matter, since the
/// request is refused. Absent and null mean the same: the field's default.
/// </summary>
/// <param name="log">Hears what is asked for; null: nobody wants to know.</param>
internal sealed class RequestFields(JsonElement root, FieldLog? log = null)
{
    public ApiError? Error { get; private set; }

    public void Fail(string field, string message, string? code = null) => Error ??= ApiError.Invalid($"'{field}' {message}", field, code);

    /// <summary>Whether the field is there, if only as null.</summary>
    public bool Has(string field) => Find(field, out _);

    /// <summary>False when the field is absent or null.</summary>
    public bool TryGet(string field, out JsonElement value) => Find(field, out value) && value.ValueKind != JsonValueKind.Null;

    public string? Text(string field, int lengthMax)
    {
        if (!TryGet(field, out var value) || Text(field, value) is not { } text)
        {
            return null;
        }

        if (text.Length > lengthMax)
        {
            Fail(field, $"is {text.Length} characters long; at most {lengthMax} are allowed.");
        }

        return text;
    }

    /// <summary>The text of an element that was found at <paramref name="field"/>; null when it is none.</summary>
    public string? Text(string field, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            Fail(field, $"must be a string, not {Kind(value)}.");
            return null;
        }

        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            Fail(field, "has half of a surrogate pair: its text is no valid Unicode.");
            return null;
        }
    }

    public double? Number(string field, double min, double max, bool minExcluded = false) =>
        TryGet(field, out var value) ? Number(field, value, min, max, minExcluded) : null;

    /// <summary>The number of an element that was found at <paramref name="field"/>; null when it is none in the range.</summary>
    public double? Number(string field, JsonElement value, double min, double max, bool minExcluded = false)
    {
        if (value.ValueKind != JsonValueKind.Number)
        {
            Fail(field, $"must be a number, not {Kind(value)}.");
            return null;
        }

        if (!value.TryGetDouble(out var number) || number > max || number < min || (minExcluded && number == min))
        {
            Fail(field, $"must be {(minExcluded ? "greater than" : "at least")} {min} and at most {max}, not {value.GetRawText()}.");
            return null;
        }

        return number;
    }

    public long? Integer(string field, long min, long max) => TryGet(field, out var value) ? Integer(field, value, min, max) : null;

    /// <summary>The integer of an element that was found at <paramref name="field"/>; null when it is none in the range.</summary>
    public long? Integer(string field, JsonElement value, long min, long max)
    {
        if (value.ValueKind != JsonValueKind.Number)
        {
            Fail(field, $"must be an integer, not {Kind(value)}.");
            return null;
        }

        if (!value.TryGetInt64(out var number) || number < min || number > max)
        {
            Fail(field, $"must be an integer from {min} to {max}, not {value.GetRawText()}.");
            return null;
        }

        return number;
    }

    public bool? Boolean(string field)
    {
        if (!TryGet(field, out var value))
        {
            return null;
        }

        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return value.GetBoolean();
        }

        Fail(field, $"must be true or false, not {Kind(value)}.");
        return null;
    }

    /// <summary>Null: it is not there, or is no object.</summary>
    public JsonElement? Object(string field)
    {
        if (!TryGet(field, out var value))
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Object)
        {
            return value;
        }

        Fail(field, $"must be an object, not {Kind(value)}.");
        return null;
    }

    /// <summary>Whether an element is one of these texts. What is no valid Unicode is none.</summary>
    public static bool IsText(JsonElement value, params ReadOnlySpan<string> texts)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            return false;
        }

        try
        {
            foreach (var text in texts)
            {
                if (value.ValueEquals(text))
                {
                    return true;
                }
            }
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair.
        }

        return false;
    }

    /// <summary>What a value is, in words that a message can use.</summary>
    public static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        JsonValueKind.Array => "an array",
        JsonValueKind.Object => "an object",
        _ => "null",
    };

    private bool Find(string field, out JsonElement value)
    {
        log?.Names.Add(field);
        return root.TryGetProperty(field, out value);
    }
}
