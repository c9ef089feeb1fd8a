using System.Text.Json;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Chat;

/// <summary>Those of <see cref="UnsupportedFields"/> that chats have beside what all APIs have.</summary>
internal static class UnsupportedChatFields
{
    private static readonly (string Field, Func<JsonElement, bool> IsNeutral)[] _whenNeutral =
    [
        ("functions", UnsupportedFields.IsEmptyArray),
        ("function_call", value => RequestFields.IsText(value, "none", "auto")),
        ("audio", _ => false),
        ("modalities", value => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 1 && RequestFields.IsText(value[0], "text")),
        ("web_search_options", _ => false),
        ("moderation", _ => false),
        ("verbosity", value => RequestFields.IsText(value, "medium")),
        ("add_generation_prompt", UnsupportedFields.IsTrue),
        ("echo", UnsupportedFields.IsFalse),
    ];

    /// <summary>What others let a request say of how its messages become a prompt.</summary>
    private static readonly (string Field, Func<JsonElement, bool> IsNeutral)[] _templateWhenNeutral =
    [
        ("chat_template", _ => false),
        ("continue_final_message", UnsupportedFields.IsFalse),
        ("documents", UnsupportedFields.IsEmptyArray),
        ("mm_processor_kwargs", UnsupportedFields.IsEmptyObject),
    ];

    public static void Check(RequestFields fields)
    {
        // A hint, which does not change the answer.
        if (fields.TryGet("prediction", out var prediction)
            && (prediction.ValueKind != JsonValueKind.Object || !prediction.TryGetProperty("type", out var type) || !RequestFields.IsText(type, "content")))
        {
            fields.Fail("prediction", "must be an object of the type content.");
        }

        UnsupportedFields.Check(fields);
        UnsupportedFields.Check(fields, _whenNeutral);
        CheckTemplate(fields);
    }

    /// <summary>Of messages alone, wherever they are sent.</summary>
    public static void CheckTemplate(RequestFields fields) => UnsupportedFields.Check(fields, _templateWhenNeutral);
}
