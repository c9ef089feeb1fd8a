using System.Text.Json;
using System.Text.Json.Nodes;
using Serving.Gateway.Http;

namespace Serving.Gateway.Responses;

/// <summary>
/// Reads <c>include</c>, of a body or of a query. Log probabilities apart, what can be included is of tools that are not served, or there anyway.
/// </summary>
internal static class ResponseInclude
{
    private const string Field = "include";
    private const string Logprobs = "message.output_text.logprobs";

    private static readonly string[] _known =
    [
        "file_search_call.results", "web_search_call.results", "web_search_call.action.sources", "message.input_image.image_url",
        "computer_call_output.output.image_url", "code_interpreter_call.outputs", "reasoning.encrypted_content", Logprobs,
    ];

    private static readonly string _mustBe = $"must be one of {string.Join(", ", _known)}.";

    /// <summary>Whether log probabilities are asked for.</summary>
    public static bool Read(RequestFields fields)
    {
        if (!fields.TryGet(Field, out var include))
        {
            return false;
        }

        if (include.ValueKind != JsonValueKind.Array)
        {
            fields.Fail(Field, $"must be an array, not {RequestFields.Kind(include)}.");
            return false;
        }

        var hasLogprobs = false;
        var index = 0;
        foreach (var part in include.EnumerateArray())
        {
            if (!RequestFields.IsText(part, _known))
            {
                fields.Fail($"{Field}[{index}]", _mustBe);
            }

            hasLogprobs |= RequestFields.IsText(part, Logprobs);
            index++;
        }

        return hasLogprobs;
    }

    /// <summary>The same of a query.</summary>
    public static bool Read(QueryFields query)
    {
        var parts = query.Texts(Field).ToArray();
        if (!parts.All(_known.Contains))
        {
            query.Fail(Field, _mustBe);
        }

        return parts.Contains(Logprobs);
    }

    /// <summary>Whether the texts of a response have log probabilities; one without text lacks none.</summary>
    public static bool HasLogprobs(JsonObject response) => response["output"]!.AsArray()
        .SelectMany(item => item!["content"]?.AsArray() ?? [])
        .All(part => (string?)part!["type"] != "output_text" || (string?)part["text"] == "" || part["logprobs"] is JsonArray { Count: > 0 });
}
