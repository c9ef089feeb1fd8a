namespace Serving.Engine.Formats.Gguf;

/// <summary>
/// The metadata of a GGUF file by key. <c>Get</c> demands a key, <c>Find</c> gives null where it is missing; both refuse a value of the wrong
/// type or out of bounds with a <see cref="ModelFormatException"/> that names the key.
/// </summary>
public sealed class GgufMetadata
{
    private readonly string _path;
    private readonly IReadOnlyDictionary<string, GgufValue> _values;

    internal GgufMetadata(string path, IReadOnlyDictionary<string, GgufValue> values)
    {
        _path = path;
        _values = values;
    }

    /// <summary>Every key of the file.</summary>
    public IEnumerable<string> Keys => _values.Keys;

    public bool TryGet(string key, out GgufValue value) => _values.TryGetValue(key, out value);

    public string GetString(string key) => FindString(key) ?? throw Missing(key);

    public string? FindString(string key) => Find<string>(key, "a string");

    public bool? FindBool(string key) => TryGet(key, out GgufValue value) ? value.Value as bool? ?? throw Mistyped(key, value, "a bool") : null;

    /// <summary>An integer of any width within the bounds.</summary>
    public int GetInt32(string key, int min, int max) => FindInt32(key, min, max) ?? throw Missing(key);

    /// <inheritdoc cref="GetInt32"/>
    public int? FindInt32(string key, int min, int max)
    {
        if (!TryGet(key, out GgufValue value))
        {
            return null;
        }

        Int128 integer = value.Value switch
        {
            byte v => v,
            sbyte v => v,
            ushort v => v,
            short v => v,
            uint v => v,
            int v => v,
            ulong v => v,
            long v => v,
            _ => throw Mistyped(key, value, "an unsigned integer"),
        };
        return integer >= min && integer <= max ? (int)integer : throw Invalid(key, $"is {integer}, expected {min} to {max}");
    }

    /// <summary>A finite number of either width.</summary>
    public float GetSingle(string key) => FindSingle(key) ?? throw Missing(key);

    /// <inheritdoc cref="GetSingle"/>
    public float? FindSingle(string key)
    {
        if (!TryGet(key, out GgufValue value))
        {
            return null;
        }

        float number = value.Value switch
        {
            float v => v,
            double v => (float)v,
            _ => throw Mistyped(key, value, "a floating-point number"),
        };
        return float.IsFinite(number) ? number : throw Invalid(key, $"is {number}, expected a finite number");
    }

    public string[]? FindStrings(string key) => Find<string[]>(key, "an array of strings");

    public int[]? FindInt32s(string key) => Find<int[]>(key, "an array of 32-bit integers");

    public float[]? FindSingles(string key) => Find<float[]>(key, "an array of 32-bit floating-point numbers");

    /// <summary>The error for a key whose value cannot be used.</summary>
    public ModelFormatException Invalid(string key, string problem) => new(_path, TryGet(key, out GgufValue value) ? value.Offset : null, key, problem);

    private T? Find<T>(string key, string expected)
        where T : class => TryGet(key, out GgufValue value) ? value.Value as T ?? throw Mistyped(key, value, expected) : null;

    private ModelFormatException Missing(string key) => new(_path, null, key, "is missing");

    private ModelFormatException Mistyped(string key, GgufValue value, string expected) =>
        new(_path, value.Offset, key, $"is {value.Describe()}, expected {expected}");
}
