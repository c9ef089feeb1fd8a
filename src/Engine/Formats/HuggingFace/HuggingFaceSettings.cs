namespace Serving.Engine.Formats.HuggingFace;

/// <summary>The settings of a Hugging Face folder: config.json.</summary>
public sealed class HuggingFaceSettings(JsonFields config) : ModelSettings
{
    private const string FamilyField = "model_type";

    /// <summary>config.json, for what lies deeper than a key.</summary>
    public JsonFields Config => config;

    public override string Family => config.FindString(FamilyField) ?? throw config.Invalid(FamilyField, "is missing");

    public override int? FindInt32(SettingKey key, int min, int max) => key.HuggingFace is { } name ? config.FindInt32(name, min, max) : null;

    public override float? FindSingle(SettingKey key)
    {
        double? number = key.HuggingFace is { } name ? config.FindNumber(name) : null;
        return number is not { } value || float.IsFinite((float)value) ? (float?)number : throw Invalid(key, $"is {value}, too large a number");
    }

    public override bool? FindBool(SettingKey key) => key.HuggingFace is { } name ? config.FindBool(name) : null;

    public override string? FindString(SettingKey key) => key.HuggingFace is { } name ? config.FindString(name) : null;

    public override int[]? FindInt32s(SettingKey key) => key.HuggingFace is { } name ? config.FindInt32s(name) : null;

    public override ModelFormatException Invalid(SettingKey key, string problem) => config.Invalid(key.HuggingFace ?? key.Gguf ?? "a setting", problem);
}
