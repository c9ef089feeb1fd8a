using System.Diagnostics;
using Serving.Engine.Execution;
using Serving.Engine.KvCache;
using Serving.Engine.Speculation;

namespace Serving.Engine.Scheduling;

/// <summary>
/// Decides which tokens the next step computes. Higher priorities first, within one the tenant who has had least (<see cref="TenantLedger"/>), and for
/// each the first come; every step holds all running decodes and fills up with prefill chunks, as many as its time allows. Knows no tensors, threads
/// or clock; one thread uses it: <see cref="FillStep"/>, run the step, <see cref="Commit"/> each part, <see cref="ObserveStep"/>.
/// <para>
/// Blocks: a sequence is admitted when its tokens so far have room, and grows by a block at a time. When none is free it takes those of the
/// sequence of the lowest priority that came last, which later computes its tokens again (vLLM's preemption by recompute: exact, because a row's result does not
/// depend on the rest of the batch). Reserving for the longest answer instead (mini-sglang) would let few sequences run, since most clients
/// name no limit. The last never preempts itself: it sits a step out and keeps its blocks. Blocks that somebody else reads or writes
/// (waiting for remote KV, prefill computed or being computed) are never taken.
/// </para>
/// <para>
/// Where layers see only a window of the last tokens, what it has passed is given back while the sequence runs; a prompt's blocks are still taken all at once.
/// </para>
/// <para>
/// Blocks outlive their sequences until the room is needed, and a newcomer with the same beginning computes only what is behind it.
/// </para>
/// </summary>
public sealed partial class Scheduler
{
    private readonly KvBlockPool _pool;
    private readonly int _blockSize;
    private readonly KvGroups _groups;
    private readonly Action<BlockId, BlockId> _copyBlock;
    private readonly SchedulerOptions _options;

    // Each by rank: the priority, then the arrival.
    private readonly List<Sequence> _waiting;
    private readonly List<Sequence> _running;
    private readonly List<Sequence> _waitingForRemoteKv;
    private readonly List<Sequence> _prefillComputed;

    private readonly TenantLedger _tenants = new();
    private readonly StepCostModel _cost = new();
    private readonly ScheduledSequence[] _scheduled;
    private int _scheduledCount;
    private int _chunkTokensLeft;
    private long _step;

    /// <param name="layout">What the pool's blocks are.</param>
    /// <param name="copyBlock">Copies what is in the first block into the second (<see cref="IModelExecutor.CopyBlock"/>); called between steps.</param>
    public Scheduler(KvBlockPool pool, KvCacheLayout layout, AdmissionLimits limits, SchedulerOptions options, Action<BlockId, BlockId> copyBlock)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.RunningSequencesMax, options.BatchTokensMax);
        _pool = pool;
        _blockSize = layout.BlockSize;
        _groups = layout.Groups;
        _copyBlock = copyBlock;
        _options = options;
        Limits = limits;
        _waiting = new List<Sequence>(options.WaitingSequencesMax + options.RunningSequencesMax);
        _running = new List<Sequence>(options.RunningSequencesMax);
        _waitingForRemoteKv = new List<Sequence>(options.RunningSequencesMax);
        _prefillComputed = new List<Sequence>(pool.BlockCount);
        _scheduled = new ScheduledSequence[options.RunningSequencesMax];
    }

    public AdmissionLimits Limits { get; }

    /// <summary>Sequences of the step that <see cref="FillStep"/> made, in the plan's order.</summary>
    public ReadOnlySpan<ScheduledSequence> Scheduled => _scheduled.AsSpan(0, _scheduledCount);

    /// <summary>Sequences that wait, the preempted ones included.</summary>
    public int WaitingCount => _waiting.Count;

    public int RunningCount => _running.Count;

    public int WaitingForRemoteKvCount => _waitingForRemoteKv.Count;

    /// <summary>Sequences whose blocks wait to be released.</summary>
    public int PrefillComputedCount => _prefillComputed.Count;

    /// <summary>Sequences not yet finished.</summary>
    public int SequenceCount => _waiting.Count + _running.Count + _waitingForRemoteKv.Count + _prefillComputed.Count;

    /// <summary>How often a sequence has lost its blocks to an older one.</summary>
    public long PreemptionCount { get; private set; }

    /// <summary>
    /// Adds a sequence that <see cref="AdmissionLimits.Examine"/> accepted; the bound on the queue is the caller's to keep.
    /// </summary>
    public void Enqueue(Sequence sequence)
    {
        _tenants.Enter(sequence);
        sequence.DraftLength = _options.DraftsMax > 0 ? new DraftLength() : null;
        InsertByRank(_waiting, sequence);
    }

    /// <summary>
    /// Fills <paramref name="plan"/> with the next step; it stays empty when nothing can go on without an event from outside.
    /// </summary>
    public void FillStep(StepPlan plan)
    {
        plan.Clear();
        _scheduledCount = 0;
        _step++;
        var preemptionsBefore = PreemptionCount;
        ScheduleDecodes(plan);
        _chunkTokensLeft = Math.Min(_options.BatchTokensMax - plan.RowCount, ChunkTokensInTime(plan.RowCount));

        // What a preemption has freed is for the sequences that run.
        if (PreemptionCount == preemptionsBefore)
        {
            AdmitWaiting(_chunkTokensLeft);
        }

        SchedulePrefillChunks(plan);
    }

    /// <summary>Tells how long the step that <see cref="FillStep"/> made took: what the length of later ones is judged by.</summary>
    public void ObserveStep(TimeSpan duration)
    {
        var (chunkTokens, singleRows) = (0, 0);
        foreach (ref readonly var scheduled in Scheduled)
        {
            var isChunk = scheduled.ScheduledTokens - scheduled.DraftCount > 1;
            chunkTokens += isChunk ? scheduled.ScheduledTokens : 0;
            singleRows += isChunk ? 0 : scheduled.ScheduledTokens;
        }

        if (chunkTokens + singleRows > 0)
        {
            _cost.Observe(chunkTokens, singleRows, duration.TotalSeconds);
        }
    }

    /// <summary>Records that a part of the step has run, and again each guessed token of it that holds.</summary>
    /// <param name="scheduled">An element of <see cref="Scheduled"/>.</param>
    /// <param name="row">Which of its rows of logits the token was sampled from: 0, and one more each time that this has returned true.</param>
    /// <param name="sampledToken">Ignored when it has no logits.</param>
    /// <returns>Whether the token is the one guessed: then the guess's logits are to be sampled and committed too.</returns>
    public bool Commit(in ScheduledSequence scheduled, int row, int sampledToken)
    {
        var sequence = scheduled.Sequence;
        Debug.Assert(sequence.State == SequenceState.Running, "Only running sequences are scheduled.");
        var promptTokensLeft = Math.Max(0, sequence.PromptLength - sequence.ComputedTokens);
        var tokens = row == 0 ? scheduled.ScheduledTokens - scheduled.DraftCount : 1;
        AcceptedCount += row == 0 ? 0 : 1;
        sequence.ComputedPromptTokens += Math.Min(tokens, promptTokensLeft);
        sequence.ComputedTokens += tokens;
        PublishComputed(sequence);
        if (promptTokensLeft > 0 && sequence.PendingTokens == 0 && sequence.Work.HasAnswer())
        {
            AdmitForks(sequence);
        }

        ReleasePassed(sequence);
        sequence.Observer.OnComputed(sequence);
        if (scheduled.LogitsIndex >= 0)
        {
            return AppendAndCompare(scheduled, row, sampledToken);
        }

        if (sequence.Work == SequenceWork.PrefillOnly && sequence.PendingTokens == 0)
        {
            Move(sequence, _running, _prefillComputed, SequenceState.PrefillComputed);
            sequence.Observer.OnPrefillComputed(sequence);
        }
        else if (sequence.Work == SequenceWork.Embed && sequence.PendingTokens == 0)
        {
            Finish(sequence, SequenceState.FinishedStop);
        }

        return false;
    }

    /// <summary>Prompt tokens that this engine has yet to compute.</summary>
    public int PendingPromptTokens()
    {
        var pending = 0;
        foreach (var sequence in _running)
        {
            pending += Math.Max(0, sequence.PromptLength - sequence.ComputedTokens);
        }

        foreach (var sequence in _waiting)
        {
            pending += sequence.AwaitsRemoteKv || AwaitsParent(sequence) ? 1 : sequence.PromptLength;
        }

        return pending;
    }

    private void AppendSampled(Sequence sequence, int token)
    {
        sequence.Append(token);
        sequence.Account!.ChargeAnswerToken();
        sequence.Observer.OnToken(sequence);
        if (sequence.IsEndToken(token) || sequence.MustEnd)
        {
            Finish(sequence, SequenceState.FinishedStop);
        }
        else if (sequence.TokenCount == sequence.TokensMax)
        {
            Finish(sequence, SequenceState.FinishedLength);
        }
    }

    private void ScheduleDecodes(StepPlan plan)
    {
        // A decode without a row would be a worse loss than any guess is a gain.
        _draftsLeft = Math.Clamp(_options.BatchTokensMax - _running.Count, 0, _options.DraftsMax);
        // A preemption shortens the list behind the index: its victim is younger than the sequence it makes room for.
        for (var i = 0; i < _running.Count; i++)
        {
            var sequence = _running[i];
            if (sequence.PendingTokens == 1 && sequence.Work.HasAnswer() && sequence.CanSample && TryGrow(sequence))
            {
                Schedule(plan, sequence, 1, Draft(sequence));
            }
        }
    }

    private void SchedulePrefillChunks(StepPlan plan)
    {
        for (var i = 0; i < _running.Count && _chunkTokensLeft > 0; i++)
        {
            var sequence = _running[i];
            if (sequence.ScheduledStep != _step && HasRoom(sequence))
            {
                // The last token gives the logits to sample from: it waits for what the answer is held to.
                var ready = sequence.CanSample ? sequence.PendingTokens : sequence.PendingTokens - 1;
                var tokens = Math.Min(ready, _chunkTokensLeft);
                if (sequence.WantsPromptLogits)
                {
                    // Each sequence that may yet join the step keeps a row of logits.
                    tokens = Math.Min(tokens, plan.LogitRowsMax - plan.LogitRowCount - (_running.Count - _scheduledCount - 1));
                }

                if (tokens > 0)
                {
                    _chunkTokensLeft -= tokens;
                    Schedule(plan, sequence, tokens, drafts: 0);
                }
            }
        }
    }

    /// <summary>Prompt tokens that the time of a step allows beside its decodes, in whole blocks; at least one, so that prompts always go on.</summary>
    private int ChunkTokensInTime(int decodeRows)
    {
        var tokens = _cost.ChunkTokensWithin(_options.StepTimeMax.TotalSeconds, decodeRows);
        return Math.Max(_blockSize, tokens - (tokens % _blockSize));
    }

    private void Schedule(StepPlan plan, Sequence sequence, int tokens, int drafts)
    {
        var reachesEnd = tokens == sequence.PendingTokens && sequence.Work.HasAnswer();
        var wantsAll = sequence.WantsPromptLogits;
        var logitRows = wantsAll ? tokens + drafts : reachesEnd ? 1 + drafts : 0;
        var first = plan.Add(sequence.Pending(tokens + drafts), sequence.ComputedTokens, sequence.Table.Blocks, logitRows, sequence.HiddenSum);
        var sampled = !reachesEnd ? -1 : wantsAll ? first + tokens - 1 : first;
        sequence.ScheduledStep = _step;
        _scheduled[_scheduledCount++] = new ScheduledSequence(sequence, tokens + drafts, sampled, drafts, wantsAll ? first : -1);
    }
}
