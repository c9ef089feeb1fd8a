using Serving.Engine.KvCache;

namespace Serving.Engine.Scheduling;

/// <content>Who gets blocks: admission and preemption.</content>
public sealed partial class Scheduler
{
    /// <param name="rowsLeft">Rows that the step still has: without one, a prompt admitted now would only hold blocks.</param>
    private void AdmitWaiting(int rowsLeft)
    {
        while (CanRunMore && NextToAdmit() is { } sequence)
        {
            if ((rowsLeft <= 0 && !sequence.AwaitsRemoteKv) || !TryAllocate(sequence))
            {
                return;
            }

            rowsLeft -= sequence.AwaitsRemoteKv ? 0 : sequence.PendingTokens;
            Admit(sequence);
        }
    }

    private bool CanRunMore => _running.Count + _waitingForRemoteKv.Count < _options.RunningSequencesMax;

    /// <summary>Lets a waiting sequence that has its blocks take part.</summary>
    private void Admit(Sequence sequence)
    {
        _tenants.LeaveQueue(sequence);
        if (sequence.State == SequenceState.Waiting)
        {
            sequence.CachedTokens = sequence.ComputedTokens;
            sequence.Account!.ChargePrompt(sequence.PendingTokens);
        }

        if (sequence.AwaitsRemoteKv)
        {
            Move(sequence, _waiting, _waitingForRemoteKv, SequenceState.WaitingForRemoteKv);
        }
        else
        {
            Move(sequence, _waiting, _running, SequenceState.Running);
        }

        sequence.Observer.OnAdmitted(sequence);
    }

    /// <summary>The waiting sequence of the highest priority: one that ran already, else the oldest of the tenant who has had least. Null: none can be admitted.</summary>
    private Sequence? NextToAdmit()
    {
        Sequence? next = null;
        foreach (var sequence in _waiting)
        {
            // The list is by priority, and within a tenant by arrival.
            if (next is not null && sequence.Priority != next.Priority)
            {
                break;
            }

            if (!AwaitsParent(sequence) && (next is null || GoesFirst(sequence, next)))
            {
                next = sequence;
            }
        }

        return next;
    }

    private static bool GoesFirst(Sequence sequence, Sequence other) => (sequence.State, other.State) switch
    {
        (SequenceState.Preempted, SequenceState.Preempted) => false,
        (SequenceState.Preempted, _) => true,
        (_, SequenceState.Preempted) => false,
        _ => sequence.Account!.ServedTokens < other.Account!.ServedTokens,
    };

    /// <summary>Gives a waiting sequence the blocks of all its tokens, those that hold some of them already first, or none.</summary>
    private bool TryAllocate(Sequence sequence)
    {
        var parent = ParentToForkFrom(sequence);
        if (parent is null)
        {
            AcquireCached(sequence);
        }
        else
        {
            ShareBlocks(parent, sequence);
        }

        var blocks = BlocksFor(sequence.TokenCount);

        // One block of each group stays free for each running sequence that may grow, so that the newcomer is not thrown out again at once.
        if ((blocks - sequence.Table.Count + GrowingCount()) * _groups.Count > _pool.AvailableCount
            || sequence.Table.Grow(blocks, _pool) == AllocationResult.NoBlocks)
        {
            ReleaseBlocks(sequence);
            return false;
        }

        if (parent is not null)
        {
            CopyPartialBlock(parent, sequence);
        }

        return true;
    }

    /// <summary>Finds room for the next token of a sequence in decode; false: it has to sit this step out.</summary>
    private bool TryGrow(Sequence sequence)
    {
        var blocks = BlocksFor(sequence.ComputedTokens + 1);
        while (sequence.Table.Grow(blocks, _pool) == AllocationResult.NoBlocks)
        {
            if (LastThatCanYield() is not { } victim || !Outranks(sequence, victim))
            {
                return false;
            }

            Preempt(victim);
        }

        return true;
    }

    private Sequence? LastThatCanYield()
    {
        for (var i = _running.Count - 1; i >= 0; i--)
        {
            if (_running[i].Work != SequenceWork.PrefillOnly)
            {
                return _running[i];
            }
        }

        return null;
    }

    private void Preempt(Sequence sequence)
    {
        ReleaseBlocks(sequence);
        PreemptionCount++;

        // It waits again, which is none of its tenant's doing: no lift.
        sequence.Account!.WaitingCount++;
        Move(sequence, _running, _waiting, SequenceState.Preempted);
    }

    private int GrowingCount()
    {
        var count = 0;
        foreach (var sequence in _running)
        {
            count += sequence.Work.HasAnswer() ? 1 : 0;
        }

        return count;
    }

    private bool HasRoom(Sequence sequence) => sequence.Table.Count * _blockSize > sequence.ComputedTokens;

    private int BlocksFor(int tokens) => (tokens + _blockSize - 1) / _blockSize;

    private static void Move(Sequence sequence, List<Sequence> from, List<Sequence> to, SequenceState state)
    {
        if (!from.Remove(sequence))
        {
            throw new InvalidOperationException($"Sequence {sequence.Id.Value} is {sequence.State} and not where that state is kept.");
        }

        sequence.State = state;
        InsertByRank(to, sequence);
    }

    private static bool Outranks(Sequence sequence, Sequence other) =>
        sequence.Priority == other.Priority ? sequence.Id.Value < other.Id.Value : sequence.Priority > other.Priority;

    private static void InsertByRank(List<Sequence> list, Sequence sequence)
    {
        var index = list.Count;
        while (index > 0 && Outranks(sequence, list[index - 1]))
        {
            index--;
        }

        list.Insert(index, sequence);
    }
}
