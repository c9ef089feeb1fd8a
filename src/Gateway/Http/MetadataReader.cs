using System.Text.Json;

namespace Serving.Gateway.Http;

/// <summary>Reads OpenAI's <c>metadata</c>: labels that a client puts on what it stores, and looks for.</summary>
internal static class MetadataReader
{
    private const string Field = "metadata";
    private const int PairsMax = 16;
    private const int NameLengthMax = 64;
    private const int ValueLengthMax = 512;

    /// <summary>The labels; empty where there are none.</summary>
    public static Dictionary<string, string> Read(RequestFields fields)
    {
        var labels = new Dictionary<string, string>();
        if (fields.Object(Field) is not { } metadata)
        {
            return labels;
        }

        if (metadata.GetPropertyCount() > PairsMax)
        {
            fields.Fail(Field, $"has {metadata.GetPropertyCount()} pairs; at most {PairsMax} are allowed.");
            return labels;
        }

        foreach (var label in metadata.EnumerateObject())
        {
            var field = $"{Field}.{label.Name}";
            if (label.Name.Length > NameLengthMax)
            {
                fields.Fail(field, $"has a name of {label.Name.Length} characters; at most {NameLengthMax} are allowed.");
            }

            var value = fields.Text(field, label.Value) ?? "";
            if (value.Length > ValueLengthMax)
            {
                fields.Fail(field, $"is {value.Length} characters long; at most {ValueLengthMax} are allowed.");
            }

            labels[label.Name] = value;
        }

        return labels;
    }
}
