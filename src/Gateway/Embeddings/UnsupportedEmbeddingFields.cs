using System.Text.Json;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Embeddings;

/// <summary>vLLM's fields that would change an answer and are not honoured: refused by name, unless they have the value that changes nothing.</summary>
internal static class UnsupportedEmbeddingFields
{
    private static readonly (string Field, Func<JsonElement, bool> IsNeutral)[] _whenNeutral =
    [
        ("messages", _ => false),
        ("truncate_prompt_tokens", _ => false),
        ("add_special_tokens", UnsupportedFields.IsTrue),
        ("normalize", UnsupportedFields.IsTrue),
        ("use_activation", _ => false),
        ("activation", _ => false),
        ("chat_template", _ => false),
        ("embed_dtype", value => RequestFields.IsText(value, "float32")),
        ("endianness", value => RequestFields.IsText(value, "native", "little")),
        ("priority", value => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var priority) && priority == 0),
    ];

    public static void Check(RequestFields fields) => UnsupportedFields.Check(fields, _whenNeutral);
}
