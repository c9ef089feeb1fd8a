namespace Serving.Engine.Formats.Gguf;

/// <summary>The settings of a GGUF file: metadata keys that begin with the architecture's name.</summary>
public sealed class GgufSettings(GgufMetadata metadata) : ModelSettings
{
    private const string ArchitectureKey = "general.architecture";

    public override string Family { get; } = metadata.GetString(ArchitectureKey);

    /// <summary><c>general.name</c>.</summary>
    public string? ModelName => metadata.FindString("general.name");

    public override int? FindInt32(SettingKey key, int min, int max) => key.Gguf is null ? null : metadata.FindInt32(Full(key), min, max);

    public override float? FindSingle(SettingKey key) => key.Gguf is null ? null : metadata.FindSingle(Full(key));

    public override bool? FindBool(SettingKey key) => key.Gguf is null ? null : metadata.FindBool(Full(key));

    public override string? FindString(SettingKey key) => key.Gguf is null ? null : metadata.FindString(Full(key));

    public override int[]? FindInt32s(SettingKey key)
    {
        if (key.Gguf is null || !metadata.TryGet(Full(key), out GgufValue value))
        {
            return null;
        }

        return value.Value is int[] list ? list : [metadata.GetInt32(Full(key), int.MinValue, int.MaxValue)];
    }

    public override ModelFormatException Invalid(SettingKey key, string problem) => metadata.Invalid(Full(key), problem);

    /// <summary>The error for a family that cannot be used.</summary>
    public ModelFormatException InvalidFamily(string problem) => metadata.Invalid(ArchitectureKey, problem);

    private string Full(SettingKey key) => $"{Family}.{key.Gguf ?? key.HuggingFace[0]}";
}
