using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;
using Serving.Embeddings;
using Serving.Text;
using Serving.Text.Tokenization;
using Serving.Worker.Completions;

namespace Serving.Worker.Embeddings;

/// <summary>A sentence embedder with threads of its own, so that the engines of the worker go on beside it.</summary>
internal sealed class SentenceEmbedder : IEmbedder, IDisposable
{
    private readonly SentenceModel _model;

    private SentenceEmbedder(SentenceModel model, ServedModel served, long fileBytes, int threads, int textsMax)
    {
        _model = model;
        Served = served;
        FileBytes = fileBytes;
        Queue = new EmbeddingQueue(model, threads, textsMax);
    }

    public ServedModel Served { get; }

    /// <summary>Bytes of its weights.</summary>
    public long FileBytes { get; }

    public EmbeddingQueue Queue { get; }

    public int ContextLength => _model.ContextLength;

    public ITokenizer Tokenizer => _model.Tokenizer;

    /// <summary>Whether a model's path names a sentence embedder.</summary>
    public static bool IsNamedBy(string path) => path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="SentenceModelException">It cannot be run.</exception>
    public static SentenceEmbedder Load(WorkerModelOptions options, WorkerOptions worker)
    {
        SentenceModel model = SentenceModel.Load(options.Path);
        try
        {
            // The first run pays for the library's own set-up.
            model.Embed([.. Enumerable.Repeat(0, model.ContextLength)]);
            FileInfo file = new(options.Path);
            ServedModel served = new(
                options.Name, KvFingerprint: "", model.ContextLength, new DateTimeOffset(file.LastWriteTimeUtc), "unknown", ModelKind.Embedding, model.Width);
            int threads = worker.EmbedderThreads > 0 ? worker.EmbedderThreads : Math.Max(1, Threads(worker) / 2);
            return new SentenceEmbedder(model, served, file.Length, threads, worker.EmbeddingTextsMax);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public int[] Encode(string text)
    {
        List<int> tokens = [];
        Tokenizer.Encode(PromptText.Plain(text), addSpecialTokens: true, tokens);
        return [.. tokens];
    }

    public async Task<(float[][]? Vectors, RequestError? Error)> EmbedAsync(
        IReadOnlyList<int[]> texts, EmbeddingsRequest request, CancellationToken cancellationToken) =>
        Queue.TryEmbedAsync(texts, cancellationToken) is { } embedded
            ? (await embedded, null)
            : (null, RequestErrors.Overloaded($"Texts wait for '{Served.Name}' already, and this worker allows {Queue.TextsMax}."));

    public void Dispose()
    {
        Queue.Dispose();
        _model.Dispose();
    }

    private static int Threads(WorkerOptions worker) => worker.Threads > 0 ? worker.Threads : Environment.ProcessorCount;
}
