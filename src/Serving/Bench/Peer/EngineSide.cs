using System.Diagnostics;
using Serving.Engine.Execution;
using Serving.Engine.Execution.Cpu;
using Serving.Engine.Kernels;
using Serving.Engine.Scheduling;

namespace Serving.Cli.Bench.Peer;

/// <summary>Our side: <see cref="EngineRun"/>, a new one for each measurement, so that no block of an earlier one is left.</summary>
internal sealed class EngineSide : IPeerSide
{
    private static readonly SchedulerOptions Scheduling = new();

    private readonly ComputePool _pool;
    private readonly CpuModelExecutor _executor;
    private PeerCase? _case;
    private int[][] _prompts = [];

    /// <param name="cases">All that will be measured: the KV pool is as large as the largest needs.</param>
    public EngineSide(string modelPath, int threads, IEnumerable<PeerCase> cases)
    {
        _pool = new ComputePool(threads);
        try
        {
            var options = new ModelLoadOptions { KvBlocks = 1, StepRowsMax = Scheduling.BatchTokensMax };
            _executor = ModelLoader.Load(
                modelPath, options with { KvBlocks = cases.Max(one => one.Streams * ((one.SequenceTokens + options.BlockSize - 1) / options.BlockSize)) }, _pool);
        }
        catch
        {
            _pool.Dispose();
            throw;
        }
    }

    public ModelDescription Model => _executor.Model;

    public IReadOnlyList<int> FirstTokens { get; private set; } = [];

    public void Prepare(PeerCase one, int[][] prompts)
    {
        _case = one;
        _prompts = prompts;
    }

    public Throughput Measure()
    {
        var one = _case ?? throw new InvalidOperationException("Nothing is prepared.");
        var run = new EngineRun(_executor, Scheduling);
        Sequence[] sequences = [.. _prompts.Select(prompt => run.Submit(prompt, one.AnswerTokens + 1))];
        long ticks = 0;
        var steps = 0;
        while (run.SequenceCount > 0)
        {
            var begin = Stopwatch.GetTimestamp();
            run.Step();
            if (one.IsPrefill || run.HasDecoded(one.Streams))
            {
                ticks += Stopwatch.GetTimestamp() - begin;
                steps++;
            }
        }

        FirstTokens = [.. sequences.Select(sequence => sequence.AnswerToken(0))];
        var tokens = one.IsPrefill ? one.PromptTokens * one.Streams : steps * one.Streams;
        return new Throughput(tokens, ticks / (double)Stopwatch.Frequency);
    }

    public void Dispose()
    {
        _executor.Dispose();
        _pool.Dispose();
    }
}
