using System.Diagnostics;
using Serving.Engine;
using Serving.Engine.Execution;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;
using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;

namespace Serving.Cli.Bench;

/// <summary>
/// The engine as a worker's loop runs it: scheduler, executor and sampler on one thread, here the caller's, without the loop's channels. Sequences are sampled greedily and end by
/// their length only.
/// </summary>
internal sealed class EngineRun
{
    /// <summary>
    /// A worker's options but for what is to be left out of a measurement: no bound on a step's time, which cuts prompts shorter so that others need not wait, and no blocks of earlier
    /// prompts.
    /// </summary>
    public static readonly SchedulerOptions Throughput = new() { StepTimeMax = TimeSpan.FromHours(1), PrefixCache = false };

    private readonly IModelExecutor _executor;
    private readonly Scheduler _scheduler;
    private readonly StepPlan _plan;
    private readonly StepSampler _sampler;
    private readonly SilentObserver _observer = new();
    private long _lastId;

    public EngineRun(IModelExecutor executor, SchedulerOptions options, ComputePool pool)
    {
        _executor = executor;
        var limits = new AdmissionLimits(executor.Model.ContextLength, executor.KvLayout.TokensIn(executor.KvBlockCount), options.WaitingSequencesMax, executor.Model.VocabularySize);
        _scheduler = new Scheduler(new KvBlockPool(executor.KvBlockCount), executor.KvLayout, limits, options, executor.CopyBlock);
        _plan = new StepPlan(options.BatchTokensMax, options.RunningSequencesMax, executor.Model.VocabularySize);
        _sampler = new StepSampler(executor.Model.VocabularySize, options.RunningSequencesMax, pool);
    }

    /// <summary>Sequences that have not ended.</summary>
    public int SequenceCount => _scheduler.SequenceCount;

    /// <summary>Rows (tokens) of the last step.</summary>
    public int RowCount => _plan.RowCount;

    /// <summary>Rows of the last step whose logits were computed.</summary>
    public int LogitRowCount => _plan.LogitRowCount;

    /// <summary>Whether the last step decoded and did nothing else: one row for each of so many sequences.</summary>
    public bool HasDecoded(int sequences) => _plan.RowCount == sequences && _plan.SequenceCount == sequences && _plan.LogitRowCount == sequences;

    /// <returns>The sequence, whose tokens grow with the steps.</returns>
    public Sequence Submit(ReadOnlySpan<int> prompt, int answerTokens)
    {
        if (_scheduler.Limits.Examine(prompt, SequenceWork.Generate, _scheduler.WaitingCount) is { } refusal)
        {
            throw new BenchException($"The engine refuses the benchmark's prompt: {refusal.Message}");
        }

        var sequence = new Sequence(
            new SequenceId(++_lastId), prompt, SequenceWork.Generate, prompt.Length + answerTokens, SamplingParameters.Greedy, ReadOnlyMemory<int>.Empty, _executor.KvLayout, _observer);
        _scheduler.Enqueue(sequence);
        return sequence;
    }

    /// <summary>Runs one step. Allocates nothing.</summary>
    public void Step()
    {
        _scheduler.FillStep(_plan);
        var begin = Stopwatch.GetTimestamp();
        _executor.Execute(_plan);
        _scheduler.ObserveStep(Stopwatch.GetElapsedTime(begin));
        _sampler.Run(_scheduler, _plan);
        for (var i = 0; i < _scheduler.Scheduled.Length; i++)
        {
            ref readonly var scheduled = ref _scheduler.Scheduled[i];
            for (var row = 0; _scheduler.Commit(scheduled, row, TokenOf(i, scheduled, row));)
            {
                row++;
            }
        }
    }

    private int TokenOf(int index, in ScheduledSequence scheduled, int row) =>
        scheduled.LogitsIndex < 0 ? -1
        : _sampler.TryGetToken(index, scheduled, row, out var token) ? token
        : throw new BenchException("The model gave logits that are not finite numbers.");

    /// <summary>Nobody listens: what matters is in the sequence.</summary>
    private sealed class SilentObserver : ISequenceObserver
    {
        public void OnAdmitted(Sequence sequence)
        {
        }

        public void OnComputed(Sequence sequence)
        {
        }

        public void OnPrefillComputed(Sequence sequence)
        {
        }

        public void OnToken(Sequence sequence)
        {
        }

        public void OnFinished(Sequence sequence)
        {
        }
    }
}
