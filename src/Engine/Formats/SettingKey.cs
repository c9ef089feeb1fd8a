namespace Serving.Engine.Formats;

/// <summary>One setting of a model under the names that the formats give it.</summary>
/// <param name="Gguf">The metadata key after the architecture's name and a dot: <c>attention.head_count</c>. Null where GGUF has none.</param>
/// <param name="HuggingFace">The field of config.json, or several where families differ; the first that is there counts.</param>
public sealed record SettingKey(string? Gguf, params string[] HuggingFace);
