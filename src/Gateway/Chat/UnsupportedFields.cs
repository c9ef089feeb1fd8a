using System.Text.Json;
using Serving.Gateway.Http;

namespace Serving.Gateway.Chat;

/// <summary>
/// Fields that are known and not honoured. A value that leaves the answer as it is passes; any other is refused by name rather
/// than dropped in silence. Names that are not in these tables are nobody's, and clients send such: they are ignored.
/// </summary>
internal static class UnsupportedFields
{
    private static readonly (string Field, Func<JsonElement, bool> IsNeutral)[] _whenNeutral =
    [
        ("functions", IsEmpty),
        ("function_call", value => RequestFields.IsText(value, "none", "auto")),
        ("audio", _ => false),
        ("modalities", value => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 1 && RequestFields.IsText(value[0], "text")),
        ("web_search_options", _ => false),
        ("moderation", _ => false),
        ("reasoning_effort", value => RequestFields.IsText(value, "none")),
        ("verbosity", value => RequestFields.IsText(value, "medium")),
        ("prompt_cache_options", value => value.ValueKind == JsonValueKind.Object && (!value.TryGetProperty("mode", out var mode) || RequestFields.IsText(mode, "implicit"))),
        ("prompt_cache_retention", value => RequestFields.IsText(value, "in_memory")),
        ("add_generation_prompt", IsTrue),
        ("allowed_token_ids", _ => false),
        ("bad_words", IsEmpty),
        ("echo", IsFalse),
        ("include_stop_str_in_output", IsFalse),
        ("prompt_logprobs", _ => false),
        ("return_token_ids", IsFalse),
        ("return_tokens_as_token_ids", IsFalse),
        ("skip_special_tokens", IsTrue),
        ("truncate_prompt_tokens", _ => false),
        ("use_beam_search", IsFalse),
    ];

    /// <summary>What others let a request say of how its messages become a prompt.</summary>
    private static readonly (string Field, Func<JsonElement, bool> IsNeutral)[] _templateWhenNeutral =
    [
        ("chat_template", _ => false),
        ("continue_final_message", IsFalse),
        ("documents", IsEmpty),
        ("mm_processor_kwargs", IsEmpty),
    ];

    public static void Check(RequestFields fields)
    {
        if (fields.Boolean("store") == true)
        {
            Refuse(fields, "store");
        }

        CheckMetadata(fields);
        Check(fields, _whenNeutral);
        CheckTemplate(fields);
    }

    /// <summary>Of messages alone, wherever they are sent.</summary>
    public static void CheckTemplate(RequestFields fields) => Check(fields, _templateWhenNeutral);

    private static void Check(RequestFields fields, (string Field, Func<JsonElement, bool> IsNeutral)[] whenNeutral)
    {
        foreach (var (field, isNeutral) in whenNeutral)
        {
            if (fields.TryGet(field, out var value) && !isNeutral(value))
            {
                Refuse(fields, field);
            }
        }
    }

    private static void Refuse(RequestFields fields, string field) =>
        fields.Fail(field, "has a value that this platform does not support: leave the field out.", "unsupported_parameter");

    /// <summary>Labels of the request, which do not reach the model, and hints, which do not change the answer.</summary>
    private static void CheckMetadata(RequestFields fields)
    {
        const int labelLengthMax = 1024;
        fields.Text("user", labelLengthMax);
        fields.Text("safety_identifier", labelLengthMax);
        fields.Text("prompt_cache_key", labelLengthMax);
        if (fields.TryGet("prediction", out var prediction)
            && (prediction.ValueKind != JsonValueKind.Object || !prediction.TryGetProperty("type", out var type) || !RequestFields.IsText(type, "content")))
        {
            fields.Fail("prediction", "must be an object of the type content.");
        }

        if (!fields.TryGet("metadata", out var metadata))
        {
            return;
        }

        if (metadata.ValueKind != JsonValueKind.Object)
        {
            fields.Fail("metadata", $"must be an object, not {RequestFields.Kind(metadata)}.");
            return;
        }

        foreach (var label in metadata.EnumerateObject())
        {
            fields.Text($"metadata.{label.Name}", label.Value);
        }
    }

    private static bool IsTrue(JsonElement value) => value.ValueKind == JsonValueKind.True;

    private static bool IsFalse(JsonElement value) => value.ValueKind == JsonValueKind.False;

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => value.GetPropertyCount() == 0,
        _ => false,
    };
}
