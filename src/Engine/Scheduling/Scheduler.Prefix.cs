namespace Serving.Engine.Scheduling;

/// <content>
/// Prefix reuse: full blocks are published once they are computed, and found again at admission, also by the sequence that lost them to a preemption. What a
/// window has passed is given back; a prefix is found as long as what its next token sees is there.
/// </content>
public sealed partial class Scheduler
{
    /// <summary>Gives a sequence without blocks those that hold the beginning of its tokens. The last token is always left to compute: it makes the logits.</summary>
    private void AcquireCached(Sequence sequence)
    {
        var blocks = sequence.CanShareBlocks ? CachedBlocks(sequence) : 0;
        sequence.Table.Begin(blocks);
        for (var group = 0; group < _groups.Count; group++)
        {
            for (var block = blocks - 1; block >= FirstNeeded(sequence, group, blocks * _blockSize); block--)
            {
                if (!_pool.TryAcquire(sequence.IdentityOf(block).InGroup(group), out var cached))
                {
                    throw new InvalidOperationException($"KV block {block} of sequence {sequence.Id.Value} was cached and is not any more.");
                }

                sequence.Table.Put(group, block, cached);
            }
        }

        sequence.ComputedTokens = blocks * _blockSize;
        sequence.PublishedBlocks = blocks;
    }

    /// <summary>How many blocks from the first on are cached, as far as the tokens behind them see them.</summary>
    private int CachedBlocks(Sequence sequence)
    {
        var blocks = 0;
        for (var blocksMax = (sequence.TokenCount - 1) / _blockSize; blocks < blocksMax && IsCachedWhereAllIsSeen(sequence, blocks);)
        {
            blocks++;
        }

        // Those of windows are looked for backwards: what lies far behind may be gone, and is not missed.
        for (var group = 0; group < _groups.Count; group++)
        {
            var first = SeesAll(sequence, group) ? blocks : FirstNeeded(sequence, group, blocks * _blockSize);
            for (var block = blocks - 1; block >= first; block--)
            {
                if (!_pool.IsCached(sequence.IdentityOf(block).InGroup(group)))
                {
                    // As many as lie before it, then, and all groups anew.
                    (blocks, group) = (block, -1);
                    break;
                }
            }
        }

        return blocks;
    }

    /// <summary>Whether a block is cached in each group that sees all.</summary>
    private bool IsCachedWhereAllIsSeen(Sequence sequence, int block)
    {
        for (var group = 0; group < _groups.Count; group++)
        {
            if (SeesAll(sequence, group) && !_pool.IsCached(sequence.IdentityOf(block).InGroup(group)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether all of a group's blocks are needed as long as the sequence lives: a prefill that is to be sent elsewhere is sent whole.</summary>
    private bool SeesAll(Sequence sequence, int group) => _groups.SeesAll(group) || sequence.Work == SequenceWork.PrefillOnly;

    /// <summary>The first of a group's blocks that a token behind so many computed ones still sees.</summary>
    private int FirstNeeded(Sequence sequence, int group, int computedTokens) =>
        SeesAll(sequence, group) ? 0 : _groups.FirstSeen(group, computedTokens) / _blockSize;

    /// <summary>Publishes the blocks that the sequence has filled since it was last asked.</summary>
    private void PublishComputed(Sequence sequence)
    {
        if (!sequence.CanShareBlocks)
        {
            return;
        }

        for (var fullBlocks = sequence.ComputedTokens / _blockSize; sequence.PublishedBlocks < fullBlocks; sequence.PublishedBlocks++)
        {
            var identity = sequence.IdentityOf(sequence.PublishedBlocks);
            for (var group = 0; group < _groups.Count; group++)
            {
                _pool.Publish(sequence.Table.Of(group)[sequence.PublishedBlocks], identity.InGroup(group));
            }
        }
    }

    /// <summary>Gives back what the windows have passed.</summary>
    private void ReleasePassed(Sequence sequence)
    {
        for (var group = 0; group < _groups.Count && _groups.HasWindows; group++)
        {
            sequence.Table.Pass(group, FirstNeeded(sequence, group, sequence.ComputedTokens), _pool);
        }
    }

    /// <summary>A failed sequence's blocks may hold what made it fail, so nobody is to find them.</summary>
    private void WithdrawBlocks(Sequence sequence)
    {
        if (!sequence.CanShareBlocks)
        {
            return;
        }

        for (var block = 0; block < sequence.PublishedBlocks; block++)
        {
            for (var group = 0; group < _groups.Count; group++)
            {
                // What a window has passed is the sequence's no more, but may still be found.
                if (_pool.TryAcquire(sequence.IdentityOf(block).InGroup(group), out var known))
                {
                    _pool.Withdraw(known);
                    _pool.Release(known);
                }
            }
        }
    }

    private void ReleaseBlocks(Sequence sequence)
    {
        sequence.Table.Release(_pool);
        sequence.ComputedTokens = 0;
        sequence.PublishedBlocks = 0;
    }
}
