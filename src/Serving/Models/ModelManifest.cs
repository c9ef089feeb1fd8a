using System.Text.Json;
using System.Text.Json.Serialization;

namespace Serving.Cli.Models;

/// <summary>What is known of one model of the data folder: <c>serving-model.json</c> in the model's own folder. A folder without it is no model yet.</summary>
/// <param name="Source">Where it came from: <c>OWNER/NAME</c> of a hub, or the path that was added.</param>
/// <param name="AddedAt">When it was complete.</param>
internal sealed record ModelManifest(string Source, DateTimeOffset AddedAt)
{
    public const string FileName = "serving-model.json";

    /// <summary>The hub that it was fetched from; null: it was added from this machine.</summary>
    public string? Hub { get; init; }

    /// <summary>Branch, tag or commit as it was asked for.</summary>
    public string? Revision { get; init; }

    /// <summary>The commit that every file is of.</summary>
    public string? Commit { get; init; }

    /// <summary>The file or folder that was added without being copied, absolute. Null: the files lie beside the manifest.</summary>
    public string? Link { get; init; }

    /// <summary>What lies beside the manifest.</summary>
    public IReadOnlyList<ModelManifestFile> Files { get; init; } = [];

    /// <returns>Null where there is none that can be read.</returns>
    public static ModelManifest? TryRead(string folder)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(Path.Combine(folder, FileName)), ModelJson.Default.ModelManifest);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    public void Write(string folder) =>
        File.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, ModelJson.Default.ModelManifest) + "\n");
}

/// <param name="Name">Its name beside the manifest.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Sha256">Lower-case hexadecimal; null for a small file of a hub, which names its <paramref name="GitBlob"/> instead.</param>
/// <param name="GitBlob">SHA-1 that git gives the file.</param>
internal sealed record ModelManifestFile(string Name, long Size, string? Sha256, string? GitBlob);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ModelManifest))]
[JsonSerializable(typeof(IReadOnlyList<InstalledModel>))]
internal sealed partial class ModelJson : JsonSerializerContext;
