using System.Diagnostics;
using Serving.Engine;
using Serving.Engine.Execution;
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
    private readonly Sampler _sampler;
    private readonly SilentObserver _observer = new();
    private long _lastId;

    public EngineRun(IModelExecutor executor, SchedulerOptions options)
    {
        _executor = executor;
        var limits = new AdmissionLimits(executor.Model.ContextLength, executor.KvLayout.TokensIn(executor.KvBlockCount), options.WaitingSequencesMax, executor.Model.VocabularySize);
        _scheduler = new Scheduler(new KvBlockPool(executor.KvBlockCount), executor.KvLayout, limits, options, executor.CopyBlock);
        _plan = new StepPlan(options.BatchTokensMax, options.RunningSequencesMax, executor.Model.VocabularySize);
        _sampler = new Sampler(executor.Model.VocabularySize);
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
        foreach (ref readonly var scheduled in _scheduler.Scheduled)
        {
            for (var row = 0; _scheduler.Commit(scheduled, row, Sample(scheduled, row));)
            {
                row++;
            }
        }
    }

    private int Sample(in ScheduledSequence scheduled, int row)
    {
        if (scheduled.LogitsIndex < 0)
        {
            return -1;
        }

        var logits = _plan.Logits.Slice((scheduled.LogitsIndex + row) * _plan.VocabularySize, _plan.VocabularySize);
        return _sampler.TrySample(scheduled.Sequence.SamplingInput(logits), out var token)
            ? token
            : throw new BenchException("The model gave logits that are not finite numbers.");
    }

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
