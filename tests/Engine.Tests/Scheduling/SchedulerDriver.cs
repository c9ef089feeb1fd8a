using Serving.Engine.Execution;
using Serving.Engine.KvCache;
using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;
using Serving.Grammars;

namespace Serving.Engine.Tests.Scheduling;

/// <summary>A scheduler with an executor, driven step by step.</summary>
internal class SchedulerDriver : ISequenceObserver
{
    private readonly IModelExecutor _executor;
    private readonly StepPlan _plan;
    private readonly Sampler _sampler;
    private long _lastId;

    /// <param name="blocks">Blocks of the pool; at most the executor's.</param>
    public SchedulerDriver(IModelExecutor executor, int blocks, SchedulerOptions options)
    {
        _executor = executor;
        Pool = new KvBlockPool(blocks);
        Scheduler = new Scheduler(
            Pool,
            executor.KvLayout,
            new AdmissionLimits(executor.Model.ContextLength, executor.KvLayout.TokensIn(blocks), options.WaitingSequencesMax, executor.Model.VocabularySize),
            options,
            executor.CopyBlock);
        _plan = new StepPlan(options.BatchTokensMax, options.RunningSequencesMax, executor.Model.VocabularySize, options.DraftsMax);
        _sampler = new Sampler(executor.Model.VocabularySize);
    }

    public KvBlockPool Pool { get; }

    public Scheduler Scheduler { get; }

    public List<SequenceId> Admitted { get; } = [];

    /// <summary>Where masks are computed that take long.</summary>
    public MaskQueue Masks { get; init; } = new(static () => { });

    public Sequence Add(
        int[] prompt,
        SequenceWork work = SequenceWork.Generate,
        int answerTokens = 4,
        SamplingParameters? sampling = null,
        string? salt = "",
        string tenant = "",
        SequencePriority priority = SequencePriority.Default,
        long deadline = Sequence.NoDeadline,
        Sequence? forkOf = null,
        Task<CompiledGrammar>? grammar = null,
        int[]? endTokens = null)
    {
        var sequence = new Sequence(
            new SequenceId(++_lastId),
            prompt,
            work,
            Scheduler.Limits.TokensMax(prompt.Length, work, answerTokens),
            sampling ?? SamplingParameters.Greedy,
            endTokens,
            _executor.KvLayout,
            this,
            salt is null ? default : BlockIdentity.Root(_executor.Model.KvFingerprint, salt))
        {
            Tenant = tenant,
            Priority = priority,
            Deadline = deadline,
            Parent = forkOf,
            Constraint = grammar is null ? null : new AnswerConstraint(grammar, endTokens, Masks),
        };
        Scheduler.Enqueue(sequence);
        return sequence;
    }

    /// <summary>Runs a step and returns how many rows each of its sequences had.</summary>
    public (long Sequence, int Rows)[] Step()
    {
        Scheduler.FillStep(_plan);
        Scheduler.CheckIntegrity();
        var parts = Scheduler.Scheduled.ToArray();
        RunStep();
        Scheduler.CheckIntegrity();
        return Array.ConvertAll(parts, part => (part.Sequence.Id.Value, part.ScheduledTokens));
    }

    /// <summary>Runs steps as the engine's thread does, and allocates no more than that.</summary>
    public void StepQuietly(int steps)
    {
        for (; steps > 0; steps--)
        {
            Scheduler.FillStep(_plan);
            RunStep();
        }
    }

    public void RunToEnd(int stepsMax = 1_000)
    {
        for (var step = 0; Scheduler.SequenceCount > 0; step++)
        {
            Assert.True(step < stepsMax, $"{Scheduler.SequenceCount} sequences are left after {stepsMax} steps.");
            Assert.NotEmpty(Step());
        }
    }

    public void AssertEmpty()
    {
        Assert.Equal(0, Scheduler.SequenceCount);
        Assert.Equal(0, Pool.UsedCount);
        Scheduler.CheckIntegrity();
    }

    private void RunStep()
    {
        if (_plan.RowCount > 0)
        {
            _executor.Execute(_plan);
        }

        foreach (ref readonly var part in Scheduler.Scheduled)
        {
            for (var row = 0; Scheduler.Commit(part, row, Sample(part, row));)
            {
                row++;
            }
        }
    }

    private int Sample(in ScheduledSequence part, int row)
    {
        if (part.LogitsIndex < 0)
        {
            return -1;
        }

        var logits = _plan.Logits.Slice((part.LogitsIndex + row) * _plan.VocabularySize, _plan.VocabularySize);
        if (!_sampler.TrySample(part.Sequence.SamplingInput(logits), out var token))
        {
            Assert.Fail("The logits are broken.");
        }

        return token;
    }

    void ISequenceObserver.OnAdmitted(Sequence sequence) => Admitted.Add(sequence.Id);

    void ISequenceObserver.OnComputed(Sequence sequence) => Assert.True(sequence.ComputedTokens <= sequence.TokenCount);

    void ISequenceObserver.OnPrefillComputed(Sequence sequence) => Assert.Equal(sequence.PromptLength, sequence.ComputedTokens);

    void ISequenceObserver.OnToken(Sequence sequence) => Assert.True(sequence.TokenCount <= sequence.TokensMax);

    void ISequenceObserver.OnFinished(Sequence sequence) => Assert.Equal(0, sequence.Table.Count);
}
