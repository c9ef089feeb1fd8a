namespace Serving.Engine.KvCache;

/// <summary>
/// The blocks of one sequence, in token order, for each KV group: token <c>i</c> lies in slot <c>i mod BlockSize</c> of block <c>i / BlockSize</c>. A group whose
/// window has passed a block has none there any more. Made for the longest the sequence may become, so that growing allocates no memory.
/// </summary>
/// <param name="blocksMax">Most blocks of a group that the sequence can need.</param>
/// <param name="groups">KV groups.</param>
public sealed class BlockTable(int blocksMax, int groups = 1)
{
    private readonly BlockId[] _blocks = NoBlocks(blocksMax * groups);
    private readonly int[] _passed = new int[groups];

    /// <summary>Blocks of each group, those that it does not have any more included.</summary>
    public int Count { get; private set; }

    /// <summary>The tables of all groups one after the other, each as long as it may become (<see cref="Execution.StepSequence.Blocks"/>).</summary>
    public ReadOnlyMemory<BlockId> Blocks => _blocks;

    /// <summary>A group's blocks.</summary>
    public ReadOnlySpan<BlockId> Of(int group) => _blocks.AsSpan(group * blocksMax, Count);

    /// <summary>How many of a group's blocks, from the first on, it does not have (any more): what its window has passed.</summary>
    public int PassedOf(int group) => _passed[group];

    /// <summary>A copy: the tables of all groups one after the other, each as long as it is now.</summary>
    public BlockId[] ToArray()
    {
        var copy = new BlockId[groups * Count];
        for (int group = 0; group < groups; group++)
        {
            Of(group).CopyTo(copy.AsSpan(group * Count));
        }

        return copy;
    }

    /// <summary>Takes blocks until each group has <paramref name="blocks"/> of them, or takes none.</summary>
    public AllocationResult Grow(int blocks, KvBlockPool pool)
    {
        if (blocks <= Count)
        {
            return AllocationResult.Allocated;
        }

        int more = blocks - Count;
        if (more * groups > pool.AvailableCount)
        {
            return AllocationResult.NoBlocks;
        }

        for (int group = 0; group < groups; group++)
        {
            pool.Allocate(_blocks.AsSpan((group * blocksMax) + Count, more));
        }

        Count = blocks;
        return AllocationResult.Allocated;
    }

    /// <summary>Makes an empty table one of so many blocks, none of which any group has: <see cref="Put"/> must follow for what each group sees.</summary>
    public void Begin(int blocks)
    {
        Count = blocks;
        Array.Fill(_passed, blocks);
    }

    /// <summary>Gives a group a block that the caller has acquired for this table: the last, then the ones before it, one by one.</summary>
    public void Put(int group, int index, BlockId block)
    {
        _blocks[(group * blocksMax) + index] = block;
        _passed[group] = index;
    }

    /// <summary>Gives back a group's blocks before <paramref name="index"/>.</summary>
    public void Pass(int group, int index, KvBlockPool pool)
    {
        for (; _passed[group] < index; _passed[group]++)
        {
            ReleaseAt(group, _passed[group], pool);
        }
    }

    /// <summary>Gives every block back, the last ones first, so that a sequence of the same length gets them in the same order.</summary>
    public void Release(KvBlockPool pool)
    {
        while (Count > 0)
        {
            Count--;
            for (int group = 0; group < groups; group++)
            {
                if (_passed[group] <= Count)
                {
                    ReleaseAt(group, Count, pool);
                }
            }
        }

        Array.Clear(_passed);
    }

    private void ReleaseAt(int group, int index, KvBlockPool pool)
    {
        ref BlockId block = ref _blocks[(group * blocksMax) + index];
        pool.Release(block);
        block = BlockId.None;
    }

    private static BlockId[] NoBlocks(int count)
    {
        var blocks = new BlockId[count];
        Array.Fill(blocks, BlockId.None);
        return blocks;
    }
}
