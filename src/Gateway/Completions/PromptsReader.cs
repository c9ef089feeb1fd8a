using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Completions;

/// <summary>Reads <c>prompt</c>: a text, an array of texts, an array of tokens, or an array of arrays of tokens.</summary>
internal static class PromptsReader
{
    private const string Field = "prompt";

    /// <summary>At least one, unless something is wrong.</summary>
    public static IReadOnlyList<Prompt> Read(RequestFields fields)
    {
        if (!fields.TryGet(Field, out var value))
        {
            fields.Fail(Field, "is missing: send a text, an array of texts, an array of token ids, or an array of such arrays.");
            return [];
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            return ReadText(fields, Field, value);
        }

        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
        {
            fields.Fail(Field, $"must be a text, or an array of at least one text, token id or array of token ids, not {What(value)}.");
            return [];
        }

        return value[0].ValueKind == JsonValueKind.Number ? ReadTokens(fields, Field, value) : ReadSeveral(fields, value);
    }

    private static List<Prompt> ReadSeveral(RequestFields fields, JsonElement array)
    {
        var isText = array[0].ValueKind == JsonValueKind.String;
        var prompts = new List<Prompt>();
        var index = 0;
        foreach (var element in array.EnumerateArray())
        {
            var path = $"{Field}[{index++}]";
            prompts.AddRange(isText ? ReadText(fields, path, element) : ReadTokens(fields, path, element));
            if (fields.Error is not null)
            {
                break;
            }
        }

        return prompts;
    }

    private static Prompt[] ReadText(RequestFields fields, string path, JsonElement value) =>
        fields.Text(path, value) is { } text ? [Prompt.Of(text, path)] : [];

    private static Prompt[] ReadTokens(RequestFields fields, string path, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
        {
            fields.Fail(path, $"must be an array of at least one token id, not {What(value)}.");
            return [];
        }

        var tokens = new TokenPrompt();
        foreach (var element in value.EnumerateArray())
        {
            // The path of each is not put together before one of them is wrong: they are many.
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt32(out var token) || token < 0)
            {
                fields.Integer($"{path}[{tokens.Ids.Count}]", element, 0, int.MaxValue);
                return [];
            }

            tokens.Ids.Add(token);
        }

        return [Prompt.Of(tokens, path)];
    }

    private static string What(JsonElement value) => value.ValueKind == JsonValueKind.Array ? "an empty array" : RequestFields.Kind(value);
}
