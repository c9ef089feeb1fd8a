using System.Text.Json;
using Serving.TestKit;

namespace Serving.Embeddings.Tests;

/// <summary>The model that comes with the repository, and ten texts with the ids and the embeddings that the reference gives them.</summary>
internal static class MiniLm
{
    private static readonly Lazy<SentenceModel> _model = new(() => SentenceModel.Load(Graph));

    public static string Folder => Path.Combine(Repository.Root, "models", "all-minilm-l6-v2");

    public static string Graph => Path.Combine(Folder, "model_quantized.onnx");

    /// <summary>One for all tests: it has no state.</summary>
    public static SentenceModel Model => _model.Value;

    public static IReadOnlyList<Golden> Golden { get; } = Read();

    private static Golden[] Read()
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Fixtures", "all-minilm-l6-v2", "golden.json")));
        return [.. document.RootElement.EnumerateArray().Select(item => new Golden(
            item.GetProperty("text").GetString()!,
            [.. item.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())],
            [.. item.GetProperty("embedding_int8").EnumerateArray().Select(element => element.GetSingle())]))];
    }
}

internal sealed record Golden(string Text, int[] Ids, float[] Embedding);
