namespace Serving.Engine.Scheduling;

/// <content>
/// Prefix reuse: full blocks are published once they are computed, and found again at admission, also by the sequence that lost them to a preemption.
/// </content>
public sealed partial class Scheduler
{
    /// <summary>Gives a sequence without blocks those that hold the beginning of its tokens. The last token is always left to compute: it makes the logits.</summary>
    private void AcquireCached(Sequence sequence)
    {
        var blocksMax = sequence.CanShareBlocks ? (sequence.TokenCount - 1) / _blockSize : 0;
        while (sequence.Table.Count < blocksMax && _pool.TryAcquire(sequence.IdentityOf(sequence.Table.Count), out var block))
        {
            sequence.Table.Append(block);
        }

        sequence.ComputedTokens = sequence.Table.Count * _blockSize;
        sequence.PublishedBlocks = sequence.Table.Count;
    }

    /// <summary>Publishes the blocks that the sequence has filled since it was last asked.</summary>
    private void PublishComputed(Sequence sequence)
    {
        if (!sequence.CanShareBlocks)
        {
            return;
        }

        for (var fullBlocks = sequence.ComputedTokens / _blockSize; sequence.PublishedBlocks < fullBlocks; sequence.PublishedBlocks++)
        {
            _pool.Publish(sequence.Table.Blocks.Span[sequence.PublishedBlocks], sequence.IdentityOf(sequence.PublishedBlocks));
        }
    }

    /// <summary>A failed sequence's blocks may hold what made it fail, so nobody is to find them.</summary>
    private void WithdrawBlocks(Sequence sequence)
    {
        foreach (var block in sequence.Table.Blocks.Span[..sequence.PublishedBlocks])
        {
            _pool.Withdraw(block);
        }
    }

    private void ReleaseBlocks(Sequence sequence)
    {
        sequence.Table.Release(_pool);
        sequence.ComputedTokens = 0;
        sequence.PublishedBlocks = 0;
    }
}
