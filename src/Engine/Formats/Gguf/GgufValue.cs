namespace Serving.Engine.Formats.Gguf;

/// <summary>A metadata value and its place in the file.</summary>
/// <param name="Type">Its type; for an array <see cref="GgufValueType.Array"/>.</param>
/// <param name="Value">The .NET value of that type; an array is a typed one (<c>string[]</c>, <c>int[]</c>, …).</param>
/// <param name="Offset">Byte of the file where it starts.</param>
public readonly record struct GgufValue(GgufValueType Type, object Value, long Offset)
{
    /// <summary>The value's type in words, for errors: <c>an array of strings</c>.</summary>
    public string Describe() => Type == GgufValueType.Array ? $"an array of {Value.GetType().GetElementType()!.Name}" : Type switch
    {
        GgufValueType.String => "a string",
        GgufValueType.Bool => "a bool",
        GgufValueType.Float32 or GgufValueType.Float64 => "a floating-point number",
        _ => "an integer",
    };
}
