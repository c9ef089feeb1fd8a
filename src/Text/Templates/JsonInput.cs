using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates;

/// <summary>Turns a request's JSON into template values, wholly untrusted. Of a key given twice the last value counts, as in Python.</summary>
internal static class JsonInput
{
    /// <summary>Digits of an int past which Python refuses to read one.</summary>
    private const int IntDigitsMax = 4300;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 128 };

    public static object Read(ReadOnlyMemory<byte> json, string name)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Options);
            return Convert(document.RootElement, name);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Text that is no valid UTF-16, a lone \ud800, surfaces as InvalidOperationException.
            throw Fault($"{name} is not valid JSON: {exception.Message}");
        }
    }

    public static TemplateException Fault(string message) => new(TemplateErrorKind.Input, message, 0, 0);

    private static object Convert(JsonElement element, string name)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                return new MarkedString(element.GetString()!, trusted: false);
            case JsonValueKind.Number:
                return Number(element, name);
            case JsonValueKind.True:
                return true;
            case JsonValueKind.False:
                return false;
            case JsonValueKind.Array:
                var items = new List<object>(element.GetArrayLength());
                foreach (JsonElement item in element.EnumerateArray())
                {
                    items.Add(Convert(item, name));
                }

                return new ListValue([.. items]);
            case JsonValueKind.Object:
                var dict = new DictValue();
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    dict.Set(new MarkedString(property.Name, trusted: false), Convert(property.Value, name));
                }

                return dict;
            default:
                return NoneValue.Instance;
        }
    }

    private static object Number(JsonElement element, string name)
    {
        string text = element.GetRawText();
        if (text.AsSpan().IndexOfAny('.', 'e', 'E') >= 0)
        {
            return double.Parse(text, CultureInfo.InvariantCulture);
        }

        return text.Length <= IntDigitsMax
            ? BigInteger.Parse(text, CultureInfo.InvariantCulture)
            : throw Fault($"{name} has an integer of more than {IntDigitsMax} digits");
    }
}
