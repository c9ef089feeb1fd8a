using System.Runtime.InteropServices;
using System.Text.Json;

namespace Serving.Cli.Verify;

/// <summary>A value in a golden file and where it stands, so that what is wrong with it can be named. Readers throw <see cref="VerifyException"/>.</summary>
/// <param name="File">Path of the file.</param>
/// <param name="Path">From the root: <c>rendered[3].text</c>.</param>
internal readonly record struct GoldenField(string File, string Path, JsonElement Element)
{
    public GoldenField Required(string name) => Optional(name) ?? throw Wrong($"lacks the field '{name}'");

    /// <summary>The field, or null where it is missing or null.</summary>
    public GoldenField? Optional(string name)
    {
        Expect(JsonValueKind.Object);
        return Element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? new GoldenField(File, Path.Length == 0 ? name : $"{Path}.{name}", value)
            : null;
    }

    /// <summary>The fields but <paramref name="names"/>. Of those with the same name the last one counts.</summary>
    public IReadOnlyDictionary<string, JsonElement> FieldsExcept(params ReadOnlySpan<string> names)
    {
        Expect(JsonValueKind.Object);
        var fields = new Dictionary<string, JsonElement>();
        foreach (var property in Element.EnumerateObject())
        {
            if (!names.Contains(property.Name))
            {
                fields[property.Name] = property.Value;
            }
        }

        return fields;
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
        try
        {
            return Element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong("holds half a character (a lone surrogate or bytes that are not UTF-8)");
        }
    }

    public bool Flag()
    {
        return Element.ValueKind is JsonValueKind.True or JsonValueKind.False ? Element.GetBoolean() : throw Wrong($"is {Describe(Element.ValueKind)} where true or false is expected");
    }

    public int Number() => Element.ValueKind == JsonValueKind.Number && Element.TryGetInt32(out var number) ? number : throw Wrong("is not a whole number of 32 bits");

    /// <summary>The value as it stands in the file.</summary>
    public byte[] Utf8() => JsonMarshal.GetRawUtf8Value(Element).ToArray();

    public VerifyException Wrong(string problem) => new($"{File}: {(Path.Length == 0 ? "the root" : Path)} {problem}.");

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
