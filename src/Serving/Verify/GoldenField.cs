using System.Runtime.InteropServices;
using System.Text.Json;

namespace Serving.Cli.Verify;

/// <summary>
/// A value in a golden file and where it stands, so that what is wrong with it can be named. What reads it throws
/// <see cref="VerifyException"/>.
/// </summary>
/// <param name="File">Path of the file.</param>
/// <param name="Path">From the root: <c>rendered[3].text</c>.</param>
internal readonly record struct GoldenField(string File, string Path, JsonElement Element)
{
    public GoldenField Required(string name) => Optional(name) ?? throw Wrong($"lacks the field '{name}'");

    /// <summary>The field, or null where it is missing or null.</summary>
    public GoldenField? Optional(string name)
    {
        Expect(JsonValueKind.Object);
        var value = Decode(element => element.TryGetProperty(name, out var found) ? found : default);
        return value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null
            ? null
            : new GoldenField(File, Path.Length == 0 ? name : $"{Path}.{name}", value);
    }

    public IEnumerable<GoldenField> Items()
    {
        Expect(JsonValueKind.Array);
        var index = 0;
        foreach (var item in Element.EnumerateArray())
        {
            yield return new GoldenField(File, $"{Path}[{index++}]", item);
        }
    }

    public string Text()
    {
        Expect(JsonValueKind.String);
        return Decode(element => element.GetString()!);
    }

    public bool Flag() => Element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        var other => throw Wrong($"is {Describe(other)} where true or false is expected"),
    };

    public int Number() => Element.ValueKind == JsonValueKind.Number && Element.TryGetInt32(out var number)
        ? number
        : throw Wrong("is not a whole number of 32 bits");

    public double Real() => Element.ValueKind == JsonValueKind.Number && Element.TryGetDouble(out var number) && double.IsFinite(number)
        ? number
        : throw Wrong("is not a finite number");

    /// <summary>The value as it stands in the file.</summary>
    public byte[] Utf8() => JsonMarshal.GetRawUtf8Value(Element).ToArray();

    /// <summary>The object without the fields <paramref name="names"/>.</summary>
    public byte[] Utf8Except(params string[] names)
    {
        Expect(JsonValueKind.Object);
        return Decode(element =>
        {
            using var buffer = new MemoryStream();
            using (var writer = new Utf8JsonWriter(buffer))
            {
                writer.WriteStartObject();
                foreach (var property in element.EnumerateObject().Where(property => !names.Contains(property.Name)))
                {
                    property.WriteTo(writer);
                }

                writer.WriteEndObject();
            }

            return buffer.ToArray();
        });
    }

    public VerifyException Wrong(string problem) => new($"{File}: {(Path.Length == 0 ? "the root" : Path)} {problem}.");

    /// <summary>JSON's parser leaves the insides of strings and names to whoever reads them.</summary>
    private T Decode<T>(Func<JsonElement, T> read)
    {
        try
        {
            return read(Element);
        }
        catch (InvalidOperationException)
        {
            throw Wrong("holds half a character (a lone surrogate or bytes that are not UTF-8)");
        }
    }

    private void Expect(JsonValueKind kind)
    {
        if (Element.ValueKind != kind)
        {
            throw Wrong($"is {Describe(Element.ValueKind)} where {Describe(kind)} is expected");
        }
    }

    private static string Describe(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };
}
