using Serving.Engine.Execution;
using Serving.Engine.KvCache;
using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;
using Serving.TestKit;

namespace Serving.Engine.Tests.Scheduling;

/// <summary>A scheduler with a fake model, driven step by step.</summary>
internal sealed class SchedulerHarness : ISequenceObserver
{
    private readonly StepPlan _plan;
    private readonly Sampler _sampler;
    private long _lastId;

    public SchedulerHarness(int blocks = 64, int batchTokensMax = 32, int runningMax = 8, int contextLength = 64, TimeSpan? stepTimeMax = null, int draftsMax = 0)
    {
        Executor = new FakeModelExecutor(blocks, contextLength: contextLength);
        Pool = new KvBlockPool(blocks);
        var blockSize = Executor.KvLayout.BlockSize;
        Scheduler = new Scheduler(
            Pool,
            blockSize,
            new AdmissionLimits(contextLength, blocks * blockSize, 16, Executor.Model.VocabularySize),
            new SchedulerOptions
            {
                BatchTokensMax = batchTokensMax,
                RunningSequencesMax = runningMax,
                StepTimeMax = stepTimeMax ?? TimeSpan.FromSeconds(1),
                DraftsMax = draftsMax,
            });
        _plan = new StepPlan(batchTokensMax, runningMax, Executor.Model.VocabularySize, draftsMax);
        _sampler = new Sampler(Executor.Model.VocabularySize);
    }

    public FakeModelExecutor Executor { get; }

    public KvBlockPool Pool { get; }

    public Scheduler Scheduler { get; }

    public List<SequenceId> Admitted { get; } = [];

    public Sequence Add(
        int[] prompt,
        SequenceWork work = SequenceWork.Generate,
        int answerTokens = 4,
        SamplingParameters? sampling = null,
        string? salt = "",
        string tenant = "",
        SequencePriority priority = SequencePriority.Default,
        long deadline = Sequence.NoDeadline)
    {
        var sequence = new Sequence(
            new SequenceId(++_lastId),
            prompt,
            work,
            Scheduler.Limits.TokensMax(prompt.Length, work, answerTokens),
            sampling ?? SamplingParameters.Greedy,
            default,
            Executor.KvLayout.BlockSize,
            this,
            salt is null ? default : BlockIdentity.Root(Executor.Model.KvFingerprint, salt))
        {
            Tenant = tenant,
            Priority = priority,
            Deadline = deadline,
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
        if (parts.Length > 0)
        {
            Executor.Execute(_plan);
        }

        foreach (var part in parts)
        {
            var goesOn = Scheduler.Commit(part, part.LogitsIndex < 0 ? -1 : Sample(part, 0));
            for (var draft = 0; goesOn; draft++)
            {
                goesOn = Scheduler.CommitDraft(part, draft, Sample(part, draft + 1));
            }
        }

        Scheduler.CheckIntegrity();
        return Array.ConvertAll(parts, part => (part.Sequence.Id.Value, part.ScheduledTokens));
    }

    private int Sample(ScheduledSequence part, int row)
    {
        var logits = _plan.Logits.Slice((part.LogitsIndex + row) * _plan.VocabularySize, _plan.VocabularySize);
        Assert.True(_sampler.TrySample(part.Sequence.SamplingInput(logits), out var token));
        return token;
    }

    public void RunToEnd(int stepsMax = 1_000)
    {
        for (var step = 0; Scheduler.SequenceCount > 0; step++)
        {
            Assert.True(step < stepsMax, $"{Scheduler.SequenceCount} sequences are left after {stepsMax} steps.");
            Assert.NotEmpty(Step());
        }
    }

    /// <summary>
    /// Does what a hand-off does: writes the KV of the first <paramref name="tokens"/> prompt tokens into the sequence's blocks, where it is not cached.
    /// </summary>
    public void FillRemotely(Sequence sequence, int tokens)
    {
        using var remote = new FakeModelExecutor(sequence.Table.Count);
        var layout = remote.KvLayout;
        var blocks = new BlockId[sequence.Table.Count];
        for (var i = 0; i < blocks.Length; i++)
        {
            blocks[i] = new BlockId(i);
        }

        var plan = new StepPlan(tokens, 1, remote.Model.VocabularySize);
        plan.Add(sequence.Tokens.Span[..tokens], 0, blocks, wantsLogits: false);
        remote.Execute(plan);
        for (var layer = 0; layer < layout.Layers; layer++)
        {
            for (var i = sequence.CachedTokens / layout.BlockSize; i < layout.BlocksFor(tokens); i++)
            {
                var slots = Math.Min(layout.BlockSize, tokens - (i * layout.BlockSize));
                var bytes = new byte[slots * layout.BytesPerTokenPerLayer];
                remote.ExportBlock(layer, blocks[i], slots, bytes);
                Executor.ImportBlock(layer, sequence.Table.Blocks.Span[i], slots, bytes);
            }
        }
    }

    public void AssertAnsweredAsAlone(Sequence sequence)
    {
        var tokens = sequence.Tokens.ToArray();
        var answer = tokens[sequence.PromptLength..];
        Assert.Equal(Executor.Expect(tokens.AsSpan(0, sequence.PromptLength), answer.Length, sequence.Sampling), answer);
    }

    public void AssertEmpty()
    {
        Assert.Equal(0, Scheduler.SequenceCount);
        Assert.Equal(0, Pool.UsedCount);
        Scheduler.CheckIntegrity();
    }

    public static int[] Prompt(int length, int seed = 0)
    {
        var random = new Random(seed);
        return Enumerable.Range(0, length).Select(_ => random.Next(32)).ToArray();
    }

    void ISequenceObserver.OnAdmitted(Sequence sequence) => Admitted.Add(sequence.Id);

    void ISequenceObserver.OnComputed(Sequence sequence) => Assert.True(sequence.ComputedTokens <= sequence.TokenCount);

    void ISequenceObserver.OnPrefillComputed(Sequence sequence) => Assert.Equal(sequence.PromptLength, sequence.ComputedTokens);

    void ISequenceObserver.OnToken(Sequence sequence) => Assert.True(sequence.TokenCount <= sequence.TokensMax);

    void ISequenceObserver.OnFinished(Sequence sequence) => Assert.Equal(0, sequence.Table.Count);
}
