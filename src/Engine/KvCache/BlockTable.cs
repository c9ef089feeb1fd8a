namespace Serving.Engine.KvCache;

/// <summary>
/// The blocks of one sequence, in token order: token <c>i</c> lies in slot <c>i mod BlockSize</c> of block <c>i / BlockSize</c>.
/// Made for the longest the sequence may become, so that growing allocates no memory.
/// </summary>
/// <param name="blocksMax">Most blocks the sequence can need.</param>
public sealed class BlockTable(int blocksMax)
{
    private readonly BlockId[] _blocks = new BlockId[blocksMax];

    public int Count { get; private set; }

    /// <summary>The blocks held now; stays valid until <see cref="Release"/>.</summary>
    public ReadOnlyMemory<BlockId> Blocks => _blocks.AsMemory(0, Count);

    /// <summary>Takes blocks until the table has <paramref name="blocks"/> of them, or takes none.</summary>
    public AllocationResult Grow(int blocks, KvBlockPool pool)
    {
        if (blocks <= Count)
        {
            return AllocationResult.Allocated;
        }

        var result = pool.Allocate(_blocks.AsSpan(Count, blocks - Count));
        if (result == AllocationResult.Allocated)
        {
            Count = blocks;
        }

        return result;
    }

    /// <summary>Appends a block that the caller has acquired for this table.</summary>
    public void Append(BlockId block) => _blocks[Count++] = block;

    /// <summary>Gives every block back, the last one first, so that a sequence of the same length gets them in the same order.</summary>
    public void Release(KvBlockPool pool)
    {
        while (Count > 0)
        {
            pool.Release(_blocks[--Count]);
        }
    }
}
