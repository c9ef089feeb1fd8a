using System.Globalization;

namespace Serving.Engine.KvCache;

/// <summary>
/// Who may use which block of the KV storage: ids, reference counts and a free list; it knows no bytes. Used by the engine thread only.
/// Invariant: free + used = total, and a block is free exactly when nothing references it.
/// </summary>
public sealed class KvBlockPool
{
    private readonly int[] _references;

    // A stack: the block freed last is used next, while its lines may still be in a cache.
    private readonly BlockId[] _free;

    public KvBlockPool(int blockCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockCount);
        _references = new int[blockCount];
        _free = new BlockId[blockCount];
        for (var i = 0; i < blockCount; i++)
        {
            _free[i] = new BlockId(blockCount - 1 - i);
        }

        FreeCount = blockCount;
    }

    public int BlockCount => _references.Length;

    public int FreeCount { get; private set; }

    public int UsedCount => BlockCount - FreeCount;

    /// <summary>Fills <paramref name="destination"/> with blocks referenced once, or takes none.</summary>
    public AllocationResult Allocate(Span<BlockId> destination)
    {
        if (destination.Length > FreeCount)
        {
            return AllocationResult.NoBlocks;
        }

        for (var i = 0; i < destination.Length; i++)
        {
            var block = _free[--FreeCount];
            _references[block.Value] = 1;
            destination[i] = block;
        }

        return AllocationResult.Allocated;
    }

    /// <summary>How many owners a block has; 0: it is free.</summary>
    public int References(BlockId block) => _references[block.Value];

    /// <summary>Makes a used block belong to one owner more.</summary>
    public void AddReference(BlockId block)
    {
        if (_references[block.Value] == 0)
        {
            throw new InvalidOperationException($"KV block {block.Value} is free: only a used block can get another owner.");
        }

        _references[block.Value]++;
    }

    /// <summary>Takes one reference back; the last one frees the block.</summary>
    public void Release(BlockId block)
    {
        ref var references = ref _references[block.Value];
        if (references == 0)
        {
            throw new InvalidOperationException($"KV block {block.Value} is freed twice.");
        }

        if (--references == 0)
        {
            _free[FreeCount++] = block;
        }
    }

    /// <summary>Throws when the free list and the reference counts do not agree.</summary>
    public void CheckIntegrity()
    {
        var seen = new bool[BlockCount];
        for (var i = 0; i < FreeCount; i++)
        {
            var block = _free[i].Value;
            if (seen[block])
            {
                throw Broken("block {0} is on the free list twice", block);
            }

            if (_references[block] != 0)
            {
                throw Broken("block {0} is on the free list and referenced", block);
            }

            seen[block] = true;
        }

        for (var block = 0; block < BlockCount; block++)
        {
            if (!seen[block] && _references[block] <= 0)
            {
                throw Broken("block {0} is neither free nor referenced: it leaked", block);
            }
        }
    }

    private static InvalidOperationException Broken(string what, int block) =>
        new("The KV block pool is inconsistent: " + string.Format(CultureInfo.InvariantCulture, what, block) + ".");
}
