using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;

namespace Serving.Gateway.Embeddings;

/// <summary>Reads what is to be embedded: texts, and where an API takes them, tokens.</summary>
internal static class InputsReader
{
    /// <summary>Texts of one request.</summary>
    public const int InputsMax = 2048;

    /// <summary>A text, tokens, or an array of either.</summary>
    public static List<EmbeddingInput> TextsOrTokens(RequestFields fields, string field)
    {
        if (fields.TryGet(field, out var value) && value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0)
        {
            switch (value[0].ValueKind)
            {
                case JsonValueKind.Number:
                    return [Tokens(fields, field, value)];
                case JsonValueKind.Array:
                    return Each(fields, field, value, Tokens);
            }
        }

        return Texts(fields, field);
    }

    /// <summary>A text, or an array of texts.</summary>
    public static List<EmbeddingInput> Texts(RequestFields fields, string field)
    {
        if (!fields.TryGet(field, out var value))
        {
            fields.Fail(field, "is missing.");
            return [];
        }

        return value.ValueKind == JsonValueKind.Array ? Each(fields, field, value, Text) : [Text(fields, field, value)];
    }

    /// <summary>An array, each of its elements read by itself.</summary>
    public static List<EmbeddingInput> Each(RequestFields fields, string field, JsonElement array, Func<RequestFields, string, JsonElement, EmbeddingInput> read)
    {
        List<EmbeddingInput> inputs = [];
        if (array.GetArrayLength() is 0 or > InputsMax)
        {
            fields.Fail(field, $"must have 1 to {InputsMax} elements, not {array.GetArrayLength()}.");
            return inputs;
        }

        foreach (var element in array.EnumerateArray())
        {
            inputs.Add(read(fields, $"{field}[{inputs.Count}]", element));
            if (fields.Error is not null)
            {
                break;
            }
        }

        return inputs;
    }

    public static EmbeddingInput Text(RequestFields fields, string field, JsonElement value)
    {
        var text = fields.Text(field, value) ?? "";
        if (text.Length == 0)
        {
            fields.Fail(field, "is empty: there is nothing to embed.");
        }

        return new EmbeddingInput { Text = text, Param = field };
    }

    private static EmbeddingInput Tokens(RequestFields fields, string field, JsonElement value)
    {
        var tokens = new TokenPrompt();
        if (value.ValueKind != JsonValueKind.Array)
        {
            fields.Fail(field, $"must be an array of token ids, not {RequestFields.Kind(value)}.");
        }
        else if (value.GetArrayLength() == 0)
        {
            fields.Fail(field, "is empty: there is nothing to embed.");
        }
        else
        {
            foreach (var element in value.EnumerateArray())
            {
                if (fields.Integer($"{field}[{tokens.Ids.Count}]", element, 0, int.MaxValue) is not { } id)
                {
                    break;
                }

                tokens.Ids.Add((int)id);
            }
        }

        return new EmbeddingInput { Tokens = tokens, Param = field };
    }
}
