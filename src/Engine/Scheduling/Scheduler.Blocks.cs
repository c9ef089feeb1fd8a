using Serving.Engine.KvCache;

namespace Serving.Engine.Scheduling;

/// <content>Who gets blocks: admission and preemption.</content>
public sealed partial class Scheduler
{
    /// <param name="rowsLeft">Rows that the step still has: without one, a prompt admitted now would only hold blocks.</param>
    private void AdmitWaiting(int rowsLeft)
    {
        while (_waiting.Count > 0 && _running.Count + _waitingForRemoteKv.Count < _options.RunningSequencesMax)
        {
            var sequence = _waiting[0];
            if ((rowsLeft <= 0 && !sequence.AwaitsRemoteKv) || !TryAllocate(sequence))
            {
                return;
            }

            if (sequence.State == SequenceState.Waiting)
            {
                sequence.CachedTokens = sequence.ComputedTokens;
            }

            if (sequence.AwaitsRemoteKv)
            {
                Move(sequence, _waiting, _waitingForRemoteKv, SequenceState.WaitingForRemoteKv);
            }
            else
            {
                rowsLeft -= sequence.PendingTokens;
                Move(sequence, _waiting, _running, SequenceState.Running);
            }

            sequence.Observer.OnAdmitted(sequence);
        }
    }

    /// <summary>Gives a waiting sequence the blocks of all its tokens, cached ones first, or none.</summary>
    private bool TryAllocate(Sequence sequence)
    {
        AcquireCached(sequence);
        var blocks = BlocksFor(sequence.TokenCount);

        // One block stays free for each running sequence that may grow, so that the newcomer is not thrown out again at once.
        if (blocks - sequence.Table.Count + GrowingCount() > _pool.AvailableCount
            || sequence.Table.Grow(blocks, _pool) == AllocationResult.NoBlocks)
        {
            ReleaseBlocks(sequence);
            return false;
        }

        return true;
    }

    /// <summary>Finds room for the next token of a sequence in decode; false: it has to sit this step out.</summary>
    private bool TryGrow(Sequence sequence)
    {
        var blocks = BlocksFor(sequence.ComputedTokens + 1);
        while (sequence.Table.Grow(blocks, _pool) == AllocationResult.NoBlocks)
        {
            if (YoungestThatCanYield() is not { } victim || victim.Id.Value <= sequence.Id.Value)
            {
                return false;
            }

            Preempt(victim);
        }

        return true;
    }

    private Sequence? YoungestThatCanYield()
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
        Move(sequence, _running, _waiting, SequenceState.Preempted);
    }

    private int GrowingCount()
    {
        var count = 0;
        foreach (var sequence in _running)
        {
            count += sequence.Work == SequenceWork.PrefillOnly ? 0 : 1;
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
        InsertByArrival(to, sequence);
    }

    private static void InsertByArrival(List<Sequence> list, Sequence sequence)
    {
        var index = list.Count;
        while (index > 0 && list[index - 1].Id.Value > sequence.Id.Value)
        {
            index--;
        }

        list.Insert(index, sequence);
    }
}
