namespace Serving.Engine.Formats;

/// <summary>
/// Sizes and flags of a model, whichever format they come from. <c>Get</c> demands a setting, <c>Find</c> gives null where it is missing; both
/// refuse a value of the wrong type or out of bounds with a <see cref="ModelFormatException"/> that names it.
/// </summary>
public abstract class ModelSettings
{
    /// <summary>The family as the format calls it: <c>qwen3moe</c> in GGUF, <c>qwen3_moe</c> at Hugging Face.</summary>
    public abstract string Family { get; }

    public abstract int? FindInt32(SettingKey key, int min, int max);

    /// <summary>A finite number.</summary>
    public abstract float? FindSingle(SettingKey key);

    public abstract bool? FindBool(SettingKey key);

    public abstract string? FindString(SettingKey key);

    /// <summary>One integer a layer, or one for all.</summary>
    public abstract int[]? FindInt32s(SettingKey key);

    /// <summary>The error for a setting whose value cannot be used.</summary>
    public abstract ModelFormatException Invalid(SettingKey key, string problem);

    /// <inheritdoc cref="FindInt32"/>
    public int GetInt32(SettingKey key, int min, int max) => FindInt32(key, min, max) ?? throw Invalid(key, "is missing");

    /// <summary>A number above 0.</summary>
    public float? FindPositive(SettingKey key)
    {
        float? number = FindSingle(key);
        return number is not <= 0 ? number : throw Invalid(key, $"is {number}, expected a positive number");
    }

    /// <inheritdoc cref="FindPositive"/>
    public float GetPositive(SettingKey key) => FindPositive(key) ?? throw Invalid(key, "is missing");
}
