using System.Text.Json;
using System.Text.Json.Serialization;

namespace Serving.Cli.State;

/// <summary>What runs on a data folder; <c>running.json</c> in it while it does.</summary>
/// <param name="Pid">The supervising process.</param>
/// <param name="Url">Where clients reach the platform.</param>
/// <param name="Redis">Where its hosts reach Redis, without a password.</param>
internal sealed record RunningPlatform(int Pid, string Url, string Redis)
{
    /// <summary>The models that it serves: paths as the workers open them.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    public static RunningPlatform? TryRead(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(path), StateJson.Default.RunningPlatform);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RunningPlatform))]
internal sealed partial class StateJson : JsonSerializerContext;
