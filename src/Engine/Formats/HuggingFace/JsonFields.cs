using System.Text.Json;

namespace Serving.Engine.Formats.HuggingFace;

/// <summary>
/// An object of a JSON file whose fields are read with checks: <c>Find</c> gives null where a field is missing or null, and refuses a value of the wrong type or out
/// of bounds with a <see cref="ModelFormatException"/> that names file and field.
/// </summary>
public sealed class JsonFields
{
    private const long FileBytesMax = 64L << 20;

    private readonly string _path;
    private readonly string _prefix;
    private readonly JsonElement _object;

    private JsonFields(string path, string prefix, JsonElement fields)
    {
        _path = path;
        _prefix = prefix;
        _object = fields;
    }

    /// <summary>Its fields in the file's order, all of them strings.</summary>
    public IEnumerable<(string Name, string Value)> Strings
    {
        get
        {
            foreach (JsonProperty property in _object.EnumerateObject())
            {
                string name = NameOf(property);
                yield return property.Value.ValueKind == JsonValueKind.String ? (name, Text(name, property.Value)) : throw Mistyped(name, property.Value, "a string");
            }
        }
    }

    /// <summary>Reads a file that holds one object.</summary>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="ModelFormatException">It is not JSON, or not an object.</exception>
    public static JsonFields Read(string path)
    {
        long length = new FileInfo(path).Length;
        if (length > FileBytesMax)
        {
            throw new ModelFormatException(path, null, "the file", $"has {length} bytes, more than the {FileBytesMax} that a file of settings may have");
        }

        return Parse(path, offset: 0, File.ReadAllBytes(path));
    }

    /// <summary>Reads an object that lies in a file.</summary>
    /// <param name="offset">Byte of the file where <paramref name="json"/> begins.</param>
    /// <exception cref="ModelFormatException">It is not JSON, names a field twice, or is not an object.</exception>
    public static JsonFields Parse(string path, long offset, ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 32, AllowDuplicateProperties = false });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new JsonFields(path, "", document.RootElement.Clone())
                : throw new ModelFormatException(path, offset, "the JSON", $"is {Describe(document.RootElement)}, expected an object");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a name with half a surrogate pair.
            throw new ModelFormatException(path, offset, "the JSON", $"cannot be read: {exception.Message.TrimEnd('.')}");
        }
    }

    /// <summary>Whether a field is there and not null.</summary>
    public bool Has(string name) => Find(name) is not null;

    public string? FindString(string name) => Find(name) is { } value
        ? value.ValueKind == JsonValueKind.String ? Text(name, value) : throw Mistyped(name, value, "a string")
        : null;

    public bool? FindBool(string name) => Find(name) is { } value
        ? value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Mistyped(name, value, "true or false")
        : null;

    /// <summary>An integer within the bounds.</summary>
    public int? FindInt32(string name, int min, int max) => Find(name) is { } value ? Int32(name, value, min, max) : null;

    /// <summary>A finite number.</summary>
    public double? FindNumber(string name) => Find(name) is { } value ? Number(name, value) : null;

    public JsonFields? FindObject(string name) => Find(name) is { } value
        ? value.ValueKind == JsonValueKind.Object ? new JsonFields(_path, $"{_prefix}{name}.", value) : throw Mistyped(name, value, "an object")
        : null;

    public JsonFields[]? FindObjects(string name) => FindList(
        name,
        "a list of objects",
        allowsOne: false,
        (item, index) => item.ValueKind == JsonValueKind.Object ? new JsonFields(_path, $"{_prefix}{index}.", item) : throw Mistyped(index, item, "an object"));

    /// <summary>A list of integers of 32 bits, or one integer as a list of one.</summary>
    public int[]? FindInt32s(string name) =>
        FindList(name, "an integer or a list of integers", allowsOne: true, (item, index) => Int32(index, item, int.MinValue, int.MaxValue));

    public double[]? FindNumbers(string name) => FindList(name, "a list of numbers", allowsOne: false, (item, index) => Number(index, item));

    public string[]? FindStrings(string name) => FindList(
        name, "a list of strings", allowsOne: false, (item, index) => item.ValueKind == JsonValueKind.String ? Text(index, item) : throw Mistyped(index, item, "a string"));

    /// <summary>The kind of a field's value; <see cref="JsonValueKind.Undefined"/> where it is missing.</summary>
    public JsonValueKind Kind(string name) => _object.TryGetProperty(name, out JsonElement value) ? value.ValueKind : JsonValueKind.Undefined;

    /// <summary>The error for a field whose value cannot be used.</summary>
    public ModelFormatException Invalid(string name, string problem) => new(_path, null, _prefix + name, problem);

    private static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => "null",
    };

    private string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            throw Invalid("a name", "holds half of a surrogate pair or bytes that are not UTF-8");
        }
    }

    private T[]? FindList<T>(string name, string expected, bool allowsOne, Func<JsonElement, string, T> read)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            return allowsOne && value.ValueKind == JsonValueKind.Number ? [read(value, name)] : throw Mistyped(name, value, expected);
        }

        var list = new T[value.GetArrayLength()];
        int index = 0;
        foreach (JsonElement item in value.EnumerateArray())
        {
            list[index] = read(item, $"{name}[{index}]");
            index++;
        }

        return list;
    }

    private int Int32(string name, JsonElement value, int min, int max)
    {
        if (value.ValueKind != JsonValueKind.Number)
        {
            throw Mistyped(name, value, "an integer");
        }

        return value.TryGetInt32(out int number) && number >= min && number <= max
            ? number
            : throw Invalid(name, $"is {value.GetRawText()}, expected an integer from {min} to {max}");
    }

    private double Number(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number
            ? value.TryGetDouble(out double number) && double.IsFinite(number) ? number : throw Invalid(name, $"is {value.GetRawText()}, expected a finite number")
            : throw Mistyped(name, value, "a number");

    private string Text(string name, JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Invalid(name, "holds half of a surrogate pair or bytes that are not UTF-8");
        }
    }

    private JsonElement? Find(string name) =>
        _object.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private ModelFormatException Mistyped(string name, JsonElement value, string expected) => Invalid(name, $"is {Describe(value)}, expected {expected}");
}
