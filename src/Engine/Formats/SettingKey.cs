namespace Serving.Engine.Formats;

/// <summary>One setting of a model under the names that the formats give it.</summary>
/// <param name="Gguf">The metadata key after the architecture's name and a dot: <c>attention.head_count</c>. Null where GGUF has none.</param>
/// <param name="HuggingFace">The field of config.json: <c>num_attention_heads</c>. Null where Hugging Face has none.</param>
public sealed record SettingKey(string? Gguf, string? HuggingFace);
