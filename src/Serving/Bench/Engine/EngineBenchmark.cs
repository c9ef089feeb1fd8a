using Serving.Cli.Machine;
using Serving.Cli.Output;
using Serving.Engine.Execution;
using Serving.Engine.Execution.Cpu;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;
using Serving.Engine.Models;

namespace Serving.Cli.Bench.Engine;

/// <summary>What <c>bench engine</c> is to measure.</summary>
internal sealed record EngineBenchOptions
{
    public required string ModelPath { get; init; }

    public ComputeClass Compute { get; init; } = ComputeClass.Fast;

    public KvDataType? KvType { get; init; }

    public required int Threads { get; init; }

    /// <summary>Streams that decode together.</summary>
    public required IReadOnlyList<int> Streams { get; init; }

    /// <summary>Rows of a prompt's chunk.</summary>
    public required IReadOnlyList<int> Chunks { get; init; }

    public required int PromptTokens { get; init; }

    public required int AnswerTokens { get; init; }

    public required int Rounds { get; init; }
}

/// <summary>Measures prefill by the rows of a chunk and decode by the number of streams, against what the machine can do at all.</summary>
internal sealed class EngineBenchmark(EngineBenchOptions options, Reporter reporter)
{
    private const int PrefillTokens = 512;

    public EngineReport Run(CancellationToken stop)
    {
        using var source = ModelSource.Open(options.ModelPath);
        using var pool = new ComputePool(options.Threads);
        var load = LoadOptions();
        var numericClass = ModelLoader.CreateClass(options.Compute);
        var work = new ModelWork(ModelGraph.Build(source), numericClass);
        var bounds = MachineBounds.Measure(work.Main, numericClass, pool);
        reporter.Progress(FormattableString.Invariant($"memory {bounds.ReadBytesPerSecond / 1e9:0.0} GB/s, {bounds.Kernel} {bounds.OperationsPerSecond / 1e9:0} GOP/s"));
        using var executor = ModelLoader.Load(source, load, pool);
        List<EngineFigure> figures = [];
        foreach (var rows in options.Chunks)
        {
            figures.Add(Measure(EngineFigure.Prefill, rows, executor, pool, work, stop));
        }

        foreach (var streams in options.Streams)
        {
            figures.Add(Measure(EngineFigure.Decode, streams, executor, pool, work, stop));
        }

        var activations = ModelFootprint.Estimate(source, load).ScratchBytes;
        return new EngineReport(
            BenchMachine.Read(), executor.Model, executor.KvLayout.DataType, options.Threads, options.PromptTokens, bounds, MemoryOf(executor, activations), figures);
    }

    private ModelLoadOptions LoadOptions()
    {
        var load = new ModelLoadOptions
        {
            KvBlocks = 1,
            ComputeClass = options.Compute,
            KvDataType = options.KvType,
            StepRowsMax = Math.Max(Math.Max(options.Chunks.Max(), options.Streams.Max()), EngineRun.Throughput.BatchTokensMax),
        };
        var decode = options.Streams.Max() * Blocks(options.PromptTokens + options.AnswerTokens + 1);
        return load with { KvBlocks = Math.Max(decode, Blocks(PrefillTokens + 1)) };

        int Blocks(int tokens) => (tokens + load.BlockSize - 1) / load.BlockSize;
    }

    private EngineFigure Measure(string phase, int rows, CpuModelExecutor executor, ComputePool pool, ModelWork work, CancellationToken stop)
    {
        var isDecode = phase == EngineFigure.Decode;
        var scheduling = EngineRun.Throughput;
        scheduling = isDecode
            ? scheduling with { RunningSequencesMax = Math.Max(rows, scheduling.RunningSequencesMax), BatchTokensMax = Math.Max(rows, scheduling.BatchTokensMax) }
            : scheduling with { BatchTokensMax = rows, RunningSequencesMax = Math.Min(rows, scheduling.RunningSequencesMax) };
        var probe = new EngineProbe(executor, scheduling, pool);
        var prompts = RandomPrompts.Create(isDecode ? rows : 1, isDecode ? options.PromptTokens : PrefillTokens, executor.Model.VocabularySize, seed: rows);
        Func<StepSum> measure = isDecode ? () => probe.Decode(prompts, options.AnswerTokens) : () => probe.Prefill(prompts);
        measure(); // Code is compiled and memory touched.
        var rounds = new StepSum[options.Rounds];
        for (var round = 0; round < rounds.Length; round++)
        {
            stop.ThrowIfCancellationRequested();
            QuietProcess.Wait();
            rounds[round] = measure();
        }

        var median = Statistics.Median(rounds.Select(round => round.TokensPerSecond));
        var (steps, tokens, logitRows) = ((double)rounds[0].Steps, rounds[0].Rows, rounds[0].LogitRows);
        var stepSeconds = tokens / steps / median;
        reporter.Progress(FormattableString.Invariant($"{phase}, {rows} rows: {median:0.#} tok/s"));
        return new EngineFigure(
            phase,
            rows,
            median,
            stepSeconds * 1e3,
            work.BytesRead(tokens / steps, logitRows / steps) / stepSeconds,
            work.Operations(tokens / steps, logitRows / steps) / stepSeconds,
            rounds[^1].AllocatedBytes / steps);
    }

    private static EngineMemory MemoryOf(CpuModelExecutor executor, long activations) => new(
        executor.WeightBytes + executor.MappedBytes,
        (long)executor.KvBlockCount * executor.KvLayout.BytesPerBlock,
        activations,
        GC.GetTotalMemory(forceFullCollection: false),
        MachineResources.ResidentBytes());
}
