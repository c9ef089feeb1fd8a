using System.Text.Json;

namespace Serving.Embeddings;

/// <summary>
/// The files of a sentence embedder: the ONNX graph, and beside it, or in the folder above (where exporters put graphs into <c>onnx/</c>), the
/// <c>tokenizer.json</c> and <c>config.json</c> of its Hugging Face folder.
/// </summary>
/// <param name="Graph">The <c>.onnx</c> file.</param>
/// <param name="Folder">The folder of the other two.</param>
/// <param name="ContextLength">Most tokens of a text.</param>
/// <param name="Width">Elements of a hidden state.</param>
internal sealed record SentenceModelFiles(string Graph, string Folder, int ContextLength, int Width)
{
    private const string ConfigFile = "config.json";
    private const string TokenizerFile = "tokenizer.json";

    public string Tokenizer => Path.Combine(Folder, TokenizerFile);

    /// <exception cref="SentenceModelException">A file is missing or is not what it should be.</exception>
    public static SentenceModelFiles Find(string graph)
    {
        string beside = Path.GetDirectoryName(Path.GetFullPath(graph))!;
        string folder = new[] { beside, Path.GetDirectoryName(beside) ?? beside }.FirstOrDefault(IsComplete)
            ?? throw new SentenceModelException($"{graph}: neither beside it nor in the folder above are {TokenizerFile} and {ConfigFile}, without which it cannot read text.");
        RefuseOtherPooling(Path.Combine(folder, "1_Pooling", ConfigFile));
        using JsonDocument config = Read(Path.Combine(folder, ConfigFile));
        return new SentenceModelFiles(
            graph, folder, Size(config.RootElement, "max_position_embeddings", folder), Size(config.RootElement, "hidden_size", folder));
    }

    private static bool IsComplete(string folder) => File.Exists(Path.Combine(folder, TokenizerFile)) && File.Exists(Path.Combine(folder, ConfigFile));

    /// <summary>sentence-transformers says in a file of its own how token states become the text's; another way than their mean would give other embeddings than its makers'.</summary>
    private static void RefuseOtherPooling(string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        using JsonDocument pooling = Read(path);
        if (pooling.RootElement.TryGetProperty("pooling_mode_mean_tokens", out JsonElement mean) && mean.ValueKind == JsonValueKind.False)
        {
            throw new SentenceModelException($"{path} asks for another pooling than the mean over the tokens, which is the only one that is supported.");
        }
    }

    private static JsonDocument Read(string path)
    {
        try
        {
            return JsonDocument.Parse(File.ReadAllBytes(path));
        }
        catch (JsonException exception)
        {
            throw new SentenceModelException($"{path} is not JSON: {exception.Message}", exception);
        }
    }

    private static int Size(JsonElement config, string field, string folder) =>
        config.ValueKind == JsonValueKind.Object && config.TryGetProperty(field, out JsonElement value) && value.TryGetInt32(out int size) && size > 0
            ? size
            : throw new SentenceModelException($"{Path.Combine(folder, ConfigFile)} has no '{field}'.");
}
