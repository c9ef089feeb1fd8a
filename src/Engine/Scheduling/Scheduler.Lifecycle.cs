using System.Diagnostics;

namespace Serving.Engine.Scheduling;

/// <content>
/// What callers ask for between steps. A wish that comes after the end of its sequence is late, not wrong, and does nothing.
/// </content>
public sealed partial class Scheduler
{
    /// <summary>
    /// Gives a sequence up. Its blocks are free at once, unless somebody else uses them: then they are once
    /// <see cref="CompleteRemoteKv"/>, <see cref="FailRemoteKv"/> or <see cref="Release"/> says that he no longer does.
    /// </summary>
    public void Cancel(Sequence sequence) => GiveUp(sequence, SequenceState.FinishedCancelled);

    /// <summary>
    /// The KV of the first <paramref name="computedTokens"/> prompt tokens is in the blocks, and the caller writes no more into them.
    /// </summary>
    /// <param name="computedTokens">
    /// Those that were cached included. Less than the prompt has: the last token is computed here, for its logits.
    /// </param>
    public void CompleteRemoteKv(Sequence sequence, int computedTokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(computedTokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(computedTokens, sequence.PromptLength);
        if (sequence.State == SequenceState.WaitingForRemoteKv)
        {
            sequence.ComputedTokens = Math.Max(sequence.ComputedTokens, computedTokens);
            PublishComputed(sequence);
            ReleasePassed(sequence);
            EndRemoteKv(sequence);
        }
    }

    /// <summary>The KV cache does not come, and nobody writes into the blocks: what is not cached of the prompt is computed here.</summary>
    public void FailRemoteKv(Sequence sequence)
    {
        if (sequence.State == SequenceState.WaitingForRemoteKv)
        {
            EndRemoteKv(sequence);
        }
        else
        {
            sequence.AwaitsRemoteKv = false;
        }
    }

    /// <summary>Nobody reads the blocks of a <see cref="SequenceWork.PrefillOnly"/> sequence any more.</summary>
    public void Release(Sequence sequence)
    {
        if (sequence.State == SequenceState.PrefillComputed)
        {
            Finish(sequence, sequence.DeferredEnd ?? SequenceState.FinishedReleased);
        }
        else
        {
            Cancel(sequence);
        }
    }

    /// <summary>Ends a sequence in whatever state it is and frees its blocks.</summary>
    public void Finish(Sequence sequence, SequenceState finished)
    {
        Debug.Assert(finished >= SequenceState.FinishedStop, "A sequence ends in a finished state.");
        if (!ListOf(sequence.State).Remove(sequence))
        {
            throw new InvalidOperationException($"Sequence {sequence.Id.Value} is {sequence.State} and cannot become {finished}.");
        }

        if (sequence.State is SequenceState.Waiting or SequenceState.Preempted)
        {
            _tenants.LeaveQueue(sequence);
        }

        _tenants.Leave(sequence);
        if (finished == SequenceState.FinishedFailed)
        {
            WithdrawBlocks(sequence);
        }

        sequence.Table.Release(_pool);
        sequence.Constraint?.GiveUp();
        sequence.State = finished;
        sequence.Observer.OnFinished(sequence);
    }

    /// <summary>
    /// Fails every sequence and frees every block, also those that others were said to use: for an engine that stops.
    /// </summary>
    public void FailAll()
    {
        FailAll(_waiting);
        FailAll(_running);
        FailAll(_waitingForRemoteKv);
        FailAll(_prefillComputed);
    }

    /// <summary>Throws when blocks and the sequences that own them do not agree.</summary>
    public void CheckIntegrity()
    {
        _pool.CheckIntegrity();
        var owners = new int[_pool.BlockCount];
        CountOwners(_waiting, owners);
        CountOwners(_running, owners);
        CountOwners(_waitingForRemoteKv, owners);
        CountOwners(_prefillComputed, owners);
        for (var block = 0; block < owners.Length; block++)
        {
            var references = _pool.References(new BlockId(block));
            if (references != owners[block])
            {
                throw new InvalidOperationException(
                    $"KV block {block} has {references} references, but {owners[block]} sequences hold it.");
            }
        }
    }

    private void GiveUp(Sequence sequence, SequenceState finished)
    {
        if (sequence.State is SequenceState.WaitingForRemoteKv or SequenceState.PrefillComputed)
        {
            sequence.DeferredEnd ??= finished;
        }
        else if (!sequence.IsFinished)
        {
            Finish(sequence, finished);
        }
    }

    private void EndRemoteKv(Sequence sequence)
    {
        sequence.AwaitsRemoteKv = false;
        if (sequence.DeferredEnd is { } end)
        {
            Finish(sequence, end);
            return;
        }

        Move(sequence, _waitingForRemoteKv, _running, SequenceState.Running);
    }

    private void CountOwners(List<Sequence> sequences, int[] owners)
    {
        foreach (var sequence in sequences)
        {
            for (var group = 0; group < _groups.Count; group++)
            {
                foreach (var block in sequence.Table.Of(group)[sequence.Table.PassedOf(group)..])
                {
                    owners[block.Value]++;
                }
            }
        }
    }

    private void FailAll(List<Sequence> sequences)
    {
        while (sequences.Count > 0)
        {
            Finish(sequences[^1], SequenceState.FinishedFailed);
        }
    }

    private List<Sequence> ListOf(SequenceState state) => state switch
    {
        SequenceState.Waiting or SequenceState.Preempted => _waiting,
        SequenceState.WaitingForRemoteKv => _waitingForRemoteKv,
        SequenceState.Running => _running,
        SequenceState.PrefillComputed => _prefillComputed,
        _ => throw new InvalidOperationException($"A sequence that is {state} is not scheduled any more."),
    };
}
