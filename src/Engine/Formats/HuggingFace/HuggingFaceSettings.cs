namespace Serving.Engine.Formats.HuggingFace;

/// <summary>The settings of a Hugging Face folder: config.json, or the part of it that is about text where a model sees pictures too.</summary>
/// <param name="root">The whole of config.json.</param>
/// <param name="config">The part about text.</param>
public sealed class HuggingFaceSettings(JsonFields root, JsonFields config) : ModelSettings
{
    private const string FamilyField = "model_type";

    /// <summary>The whole of config.json.</summary>
    public JsonFields Root => root;

    /// <summary>The part about text, for what lies deeper than a key.</summary>
    public JsonFields Config => config;

    public override string Family => config.FindString(FamilyField) ?? throw config.Invalid(FamilyField, "is missing");

    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="ModelFormatException">It is not JSON, or not an object.</exception>
    public static HuggingFaceSettings Read(string path)
    {
        JsonFields root = JsonFields.Read(path);
        return new HuggingFaceSettings(root, root.FindObject("text_config") ?? root);
    }

    public override int? FindInt32(SettingKey key, int min, int max) => Field(key) is { } name ? config.FindInt32(name, min, max) : null;

    public override float? FindSingle(SettingKey key)
    {
        double? number = Field(key) is { } name ? config.FindNumber(name) : null;
        return number is not { } value || float.IsFinite((float)value) ? (float?)number : throw Invalid(key, $"is {value}, too large a number");
    }

    public override bool? FindBool(SettingKey key) => Field(key) is { } name ? config.FindBool(name) : null;

    public override string? FindString(SettingKey key) => Field(key) is { } name ? config.FindString(name) : null;

    public override int[]? FindInt32s(SettingKey key) => Field(key) is { } name ? config.FindInt32s(name) : null;

    public override ModelFormatException Invalid(SettingKey key, string problem) =>
        config.Invalid(Field(key) ?? (key.HuggingFace.Length > 0 ? key.HuggingFace[0] : key.Gguf ?? "a setting"), problem);

    private string? Field(SettingKey key) => Array.Find(key.HuggingFace, config.Has);
}
