using System.Collections.Frozen;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Serving.Contracts.Cluster;
using Serving.Embeddings;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;
using Serving.Engine.PackedWeights;
using Serving.Worker.Embeddings;

namespace Serving.Worker.Models;

/// <summary>
/// Loads the worker's models once the server listens, warms every kernel path, and only then lets the worker be found. When the host stops it takes no
/// new sequences, waits for those that run, and frees everything.
/// </summary>
internal sealed partial class ModelHost(
    IOptions<WorkerOptions> options,
    ModelLoading loading,
    WorkerIdentity identity,
    IHostApplicationLifetime lifetime,
    ILogger<ModelHost> logger) : BackgroundService, IModelSet
{
    /// <summary>What ONNX Runtime takes beside a graph's weights: 62 MiB were measured for 22.</summary>
    private const int EmbedderBytesPerFileByte = 3;

    /// <summary>How much of the young generation is filled at the start: more than it has, unless somebody has set so.</summary>
    private const int YoungBytesMax = 128 << 20;

    /// <summary>Below what the runtime takes for a large object.</summary>
    private const int YoungPieceBytes = 16 << 10;

    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<ModelRuntime> _loaded = [];
    private readonly List<SentenceEmbedder> _loadedEmbedders = [];
    private volatile FrozenDictionary<string, ModelRuntime> _models = FrozenDictionary<string, ModelRuntime>.Empty;
    private volatile IReadOnlyList<SentenceEmbedder> _embedders = [];
    private ComputePool? _pool;

    /// <summary>Completes when every model is loaded and warm; is cancelled when the host stops before.</summary>
    public Task Ready => _ready.Task;

    public IReadOnlyList<ModelRuntime> Models => _models.Values;

    public IReadOnlyList<SentenceEmbedder> Embedders => _embedders;

    public bool TryGet(string name, [NotNullWhen(true)] out ModelRuntime? model) => _models.TryGetValue(name, out model);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            Load(stoppingToken);
            await Task.WhenAll(_loaded.Select(model => model.Grammars.Ready)).WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stoppingToken.ThrowIfCancellationRequested();
            SettleHeap();
            _models = _loaded.ToFrozenDictionary(model => model.Served.Name, StringComparer.Ordinal);
            _embedders = _loadedEmbedders;
            _ready.TrySetResult();
        }
        catch (OperationCanceledException)
        {
            _ready.TrySetCanceled(stoppingToken);
        }
        catch (Exception exception) when (exception is WorkerStartException or ModelFormatException or SentenceModelException or IOException or UnauthorizedAccessException)
        {
            LogCannotLoad(logger, exception.Message);
            Environment.ExitCode = 1;
            lifetime.StopApplication();
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _ready.TrySetCanceled(CancellationToken.None);
        await base.StopAsync(cancellationToken); // a load that is under way ends first
        await Task.WhenAll(_loaded.Select(model => model.Engine.StopAsync(cancellationToken)));
        foreach (ModelRuntime model in _loaded)
        {
            await model.DisposeAsync();
        }

        _loadedEmbedders.ForEach(embedder => embedder.Dispose());
        _pool?.Dispose();
    }

    /// <summary>
    /// What loading has made stays: collected now, it is old, and no collection between tokens has to move it. What loading has thrown away goes back to the system;
    /// then the young generation is filled once, so that the process's memory is from the start what it will be.
    /// </summary>
    private static void SettleHeap()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        int collections = GC.CollectionCount(0);
        for (int filled = 0; filled < YoungBytesMax && GC.CollectionCount(0) == collections; filled += YoungPieceBytes)
        {
            GC.KeepAlive(new byte[YoungPieceBytes]);
        }
    }

    private void Load(CancellationToken stopping)
    {
        ChooseKernels();
        WorkerOptions worker = options.Value;
        _pool = new ComputePool(worker.Threads > 0 ? worker.Threads : Environment.ProcessorCount);
        LoadEmbedders(worker, stopping);
        WorkerModelOptions[] generative = [.. worker.Models.Where(model => !SentenceEmbedder.IsNamedBy(model.Path))];
        long budgetBytes = MemoryLedger.BudgetBytes(worker.MemoryBytes) - _loadedEmbedders.Sum(embedder => EmbedderBytesPerFileByte * embedder.FileBytes);
        foreach (WorkerModelOptions model in generative)
        {
            stopping.ThrowIfCancellationRequested();
            long begin = Stopwatch.GetTimestamp();
            ModelRuntime runtime = loading.Load(model, worker, _pool, budgetBytes / generative.Length);
            _loaded.Add(runtime);
            TimeSpan loaded = Stopwatch.GetElapsedTime(begin);
            Report(model.Name, runtime.Memory);
            ModelWarmUp.Run(runtime, stopping);
            LogLoaded(
                logger, model.Name, runtime.Executor.Model.ComputePath, _pool.ThreadCount, runtime.Executor.KvLayout.TokensIn(runtime.Executor.KvBlockCount),
                loaded.TotalSeconds, Stopwatch.GetElapsedTime(begin).TotalSeconds - loaded.TotalSeconds);
        }
    }

    /// <summary>Embedding is work of the prompt's kind: decode workers leave it to the others.</summary>
    private void LoadEmbedders(WorkerOptions worker, CancellationToken stopping)
    {
        if (identity.Role != WorkerRole.Prefill)
        {
            return;
        }

        foreach (WorkerModelOptions model in worker.Models.Where(model => SentenceEmbedder.IsNamedBy(model.Path)))
        {
            stopping.ThrowIfCancellationRequested();
            long begin = Stopwatch.GetTimestamp();
            _loadedEmbedders.Add(SentenceEmbedder.Load(model, worker));
            LogEmbedder(logger, model.Name, _loadedEmbedders[^1].Served.EmbeddingWidth, Stopwatch.GetElapsedTime(begin).TotalSeconds);
        }
    }

    private void Report(string model, ModelMemory memory)
    {
        const double MiB = 1 << 20;
        if (memory.Cache.Problem is { } problem)
        {
            LogWeightCacheProblem(logger, model, problem);
        }

        LogMemory(
            logger, model, memory.Cache.Place, memory.MappedWeightBytes / MiB, memory.OwnWeightBytes / MiB, memory.KvBytes / MiB, memory.ScratchBytes / MiB);
    }

    /// <summary>Measures the kernels now, so that a wrong choice of the operator stops the start and not the first request.</summary>
    private void ChooseKernels()
    {
        try
        {
            foreach (KernelCandidate kernels in KernelSelection.Default.Candidates)
            {
                LogKernels(logger, kernels.Name, kernels.Verdict, kernels.Microseconds);
            }
        }
        catch (ArgumentException exception)
        {
            throw new WorkerStartException(exception.Message, exception);
        }
    }

    [LoggerMessage(5003, LogLevel.Information, "Kernels {Kernels}: {Verdict}, {Microseconds:F0} µs for the trial products")]
    private static partial void LogKernels(ILogger logger, string kernels, KernelVerdict verdict, double microseconds);

    [LoggerMessage(5001, LogLevel.Information,
        "Model {Model} is ready: {ComputePath}, {Threads} threads, room for {KvTokens} tokens; loaded in {LoadSeconds:F2} s, warm in {WarmSeconds:F2} s")]
    private static partial void LogLoaded(
        ILogger logger, string model, string computePath, int threads, int kvTokens, double loadSeconds, double warmSeconds);

    [LoggerMessage(5006, LogLevel.Information, "Model {Model} is ready: embeddings of {Width} elements; loaded and warm in {Seconds:F2} s")]
    private static partial void LogEmbedder(ILogger logger, string model, int width, double seconds);

    [LoggerMessage(5004, LogLevel.Information,
        "Memory of model {Model}: packed weights in {Place}; {MappedMiB:F0} MiB of weights in mapped files, {OwnMiB:F1} MiB of its own, KV pool {KvMiB:F0} MiB, scratch {ScratchMiB:F0} MiB")]
    private static partial void LogMemory(
        ILogger logger, string model, PackedWeightsPlace place, double mappedMiB, double ownMiB, double kvMiB, double scratchMiB);

    [LoggerMessage(5005, LogLevel.Warning, "Model {Model}: {Problem}")]
    private static partial void LogWeightCacheProblem(ILogger logger, string model, string problem);

    [LoggerMessage(5002, LogLevel.Critical, "Cannot load the models: {Reason}")]
    private static partial void LogCannotLoad(ILogger logger, string reason);
}
