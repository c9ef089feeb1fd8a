using System.Text.Json;

namespace Serving.Text.Tokenization.Json;

/// <summary>Reads a JSON object field by field and knows which it was not asked for: what is not understood is never passed over.</summary>
internal sealed class JsonFields
{
    private readonly JsonElement _element;
    private readonly HashSet<string> _read = [];

    public JsonFields(JsonElement element, string path)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new TokenizerFormatException(path, $"is {Describe(element)} where an object is expected.");
        }

        _element = element;
        Path = path;
    }

    public string Path { get; }

    public string PathOf(string name) => Path.Length == 0 ? name : $"{Path}.{name}";

    /// <summary>The field, or null where it is missing or null.</summary>
    public JsonElement? Optional(string name)
    {
        _read.Add(name);
        return _element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    public JsonElement Required(string name) =>
        Optional(name) ?? throw new TokenizerFormatException(PathOf(name), "is missing.");

    public JsonFields Object(string name) => new(Required(name), PathOf(name));

    public string String(string name) => OptionalString(name) ?? throw new TokenizerFormatException(PathOf(name), "is missing.");

    public string? OptionalString(string name)
    {
        JsonElement? value = Optional(name);
        return value is JsonElement found ? AsString(found, PathOf(name)) : null;
    }

    public bool Bool(string name, bool otherwise)
    {
        JsonElement? value = Optional(name);
        return value?.ValueKind switch
        {
            null => otherwise,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw new TokenizerFormatException(PathOf(name), $"is {Describe(value.Value)} where true or false is expected."),
        };
    }

    public int Int(string name) => AsInt(Required(name), PathOf(name));

    public char Char(string name)
    {
        string text = String(name);
        return text.Length == 1 ? text[0] : throw new TokenizerFormatException(PathOf(name), $"is '{text}' where one character is expected.");
    }

    public JsonElement Array(string name)
    {
        JsonElement value = Required(name);
        return value.ValueKind == JsonValueKind.Array
            ? value
            : throw new TokenizerFormatException(PathOf(name), $"is {Describe(value)} where a list is expected.");
    }

    /// <summary>Accepts a field that changes nothing here.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            _read.Add(name);
        }
    }

    /// <summary>Refuses the fields that nobody read.</summary>
    public void End()
    {
        foreach (JsonProperty property in _element.EnumerateObject())
        {
            if (!_read.Contains(property.Name))
            {
                throw new TokenizerFormatException(PathOf(property.Name), "is not understood; this version cannot load the tokenizer exactly.");
            }
        }
    }

    public static string AsString(JsonElement value, string path) => value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : throw new TokenizerFormatException(path, $"is {Describe(value)} where a string is expected.");

    /// <summary>A number from 0 on: ids, counts, lengths.</summary>
    public static int AsInt(JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= 0
            ? number
            : throw new TokenizerFormatException(path, $"is {Describe(value)} where a whole number from 0 to 2^31 - 1 is expected.");

    private static string Describe(JsonElement value)
    {
        string raw = value.GetRawText();
        return raw.Length <= 40 ? raw : raw[..40] + "…";
    }
}
