using System.Text.Json;
using Serving.Gateway.Http;

namespace Serving.Gateway.Generation;

/// <summary>
/// Fields that are known and not honoured. A value that leaves the answer as it is passes; any other is refused by name rather
/// than dropped in silence. Names that are in no table are nobody's, and clients send such: they are ignored.
/// </summary>
internal static class UnsupportedFields
{
    /// <summary>What a request may say of caches, and what others' servers let it say of how text is generated.</summary>
    private static readonly (string Field, Func<JsonElement, bool> IsNeutral)[] _others =
    [
        ("prompt_cache_options", value => value.ValueKind == JsonValueKind.Object && (!value.TryGetProperty("mode", out var mode) || RequestFields.IsText(mode, "implicit"))),
        ("prompt_cache_retention", value => RequestFields.IsText(value, "in_memory")),
        ("allowed_token_ids", _ => false),
        ("bad_words", IsEmptyArray),
        ("include_stop_str_in_output", IsFalse),
        ("prompt_logprobs", _ => false),
        ("return_token_ids", IsFalse),
        ("return_tokens_as_token_ids", IsFalse),
        ("skip_special_tokens", IsTrue),
        ("truncate_prompt_tokens", _ => false),
        ("use_beam_search", IsFalse),
    ];

    /// <summary>What all APIs of text have in common: others' fields, and labels of the request.</summary>
    public static void Check(RequestFields fields)
    {
        Check(fields, _others);
        CheckLabels(fields);
    }

    public static void Check(RequestFields fields, ReadOnlySpan<(string Field, Func<JsonElement, bool> IsNeutral)> whenNeutral)
    {
        foreach (var (field, isNeutral) in whenNeutral)
        {
            if (fields.TryGet(field, out var value) && !isNeutral(value))
            {
                Refuse(fields, field);
            }
        }
    }

    public static void Refuse(RequestFields fields, string field) =>
        fields.Fail(field, "has a value that this platform does not support: leave the field out.", "unsupported_parameter");

    public static bool IsTrue(JsonElement value) => value.ValueKind == JsonValueKind.True;

    public static bool IsFalse(JsonElement value) => value.ValueKind == JsonValueKind.False;

    public static bool IsEmptyArray(JsonElement value) => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0;

    public static bool IsEmptyObject(JsonElement value) => value.ValueKind == JsonValueKind.Object && value.GetPropertyCount() == 0;

    /// <summary>They do not reach the model.</summary>
    private static void CheckLabels(RequestFields fields)
    {
        const int labelLengthMax = 1024;
        fields.Text("user", labelLengthMax);
        fields.Text("safety_identifier", labelLengthMax);
        fields.Text("prompt_cache_key", labelLengthMax);
        MetadataReader.Read(fields);
    }
}
