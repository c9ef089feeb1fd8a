namespace Serving.Engine.KvCache;

/// <summary>
/// Who may use which block of the KV storage: ids, reference counts, a free list and the prefix cache; it knows no bytes. Used by the engine thread only.
/// A block is used (referenced), cached (unreferenced, and can be found by what it holds) or free, so free + cached + used = total.
/// </summary>
public sealed class KvBlockPool
{
    private readonly int[] _references;

    // A stack: the block freed last is used next, while its lines may still be in a cache.
    private readonly BlockId[] _free;
    private readonly PrefixCache _cache;

    public KvBlockPool(int blockCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockCount);
        _references = new int[blockCount];
        _free = new BlockId[blockCount];
        _cache = new PrefixCache(blockCount);
        for (var i = 0; i < blockCount; i++)
        {
            _free[i] = new BlockId(blockCount - 1 - i);
        }

        FreeCount = blockCount;
    }

    public int BlockCount => _references.Length;

    /// <summary>Blocks that hold nothing.</summary>
    public int FreeCount { get; private set; }

    /// <summary>Blocks that nobody references and that <see cref="TryAcquire"/> may find; allocation takes them when none is free.</summary>
    public int CachedCount => _cache.UnreferencedCount;

    /// <summary>Blocks that can be allocated: free and cached.</summary>
    public int AvailableCount => FreeCount + CachedCount;

    public int UsedCount => BlockCount - AvailableCount;

    /// <summary>Fills <paramref name="destination"/> with blocks referenced once, or takes none. Evicts the cached blocks let go longest ago when too few are free.</summary>
    public AllocationResult Allocate(Span<BlockId> destination)
    {
        if (destination.Length > AvailableCount)
        {
            return AllocationResult.NoBlocks;
        }

        for (var i = 0; i < destination.Length; i++)
        {
            var block = FreeCount > 0 ? _free[--FreeCount] : _cache.Evict();
            _references[block.Value] = 1;
            destination[i] = block;
        }

        return AllocationResult.Allocated;
    }

    /// <summary>How many owners a block has; 0: it is free or cached.</summary>
    public int References(BlockId block) => _references[block.Value];

    /// <summary>Whether <see cref="TryAcquire"/> would find a block.</summary>
    public bool IsCached(BlockIdentity identity) => _cache.TryFind(identity, out _);

    /// <summary>Finds the block that holds what <paramref name="identity"/> names, and references it once more.</summary>
    public bool TryAcquire(BlockIdentity identity, out BlockId block)
    {
        if (!_cache.TryFind(identity, out block))
        {
            return false;
        }

        if (_references[block.Value]++ == 0)
        {
            _cache.Unpark(block);
        }

        return true;
    }

    /// <summary>Lets a used block be found by what it holds from now on, also after its last owner has gone. It must not be written any more.</summary>
    public void Publish(BlockId block, BlockIdentity identity)
    {
        if (_references[block.Value] == 0 || identity.IsNone)
        {
            throw new InvalidOperationException($"KV block {block.Value} cannot be published: only a used block with an identity can.");
        }

        _cache.Add(block, identity);
    }

    /// <summary>Lets a used block be found no more, because what it holds is not to be trusted.</summary>
    public void Withdraw(BlockId block)
    {
        if (_references[block.Value] == 0)
        {
            throw new InvalidOperationException($"KV block {block.Value} is not used, so nobody can withdraw it.");
        }

        _cache.Forget(block);
    }

    /// <summary>Makes a used block belong to one owner more.</summary>
    public void AddReference(BlockId block)
    {
        if (_references[block.Value] == 0)
        {
            throw new InvalidOperationException($"KV block {block.Value} is not used: only a used block can get another owner.");
        }

        _references[block.Value]++;
    }

    /// <summary>Takes one reference back; with the last one the block is free, or cached when it was published.</summary>
    public void Release(BlockId block)
    {
        ref var references = ref _references[block.Value];
        if (references == 0)
        {
            throw new InvalidOperationException($"KV block {block.Value} is freed twice.");
        }

        if (--references > 0)
        {
            return;
        }

        if (_cache.Holds(block))
        {
            _cache.Park(block);
        }
        else
        {
            _free[FreeCount++] = block;
        }
    }

    /// <summary>Throws when the free list, the prefix cache and the reference counts do not agree.</summary>
    public void CheckIntegrity()
    {
        _cache.CheckIntegrity();
        var isFree = new bool[BlockCount];
        for (var i = 0; i < FreeCount; i++)
        {
            var block = _free[i];
            if (isFree[block.Value])
            {
                throw Broken(block, "is on the free list twice");
            }

            if (_references[block.Value] != 0 || _cache.Holds(block))
            {
                throw Broken(block, "is on the free list and in use or cached");
            }

            isFree[block.Value] = true;
        }

        for (var i = 0; i < BlockCount; i++)
        {
            var block = new BlockId(i);
            if (_cache.Examine(block, _references[i]) is { } complaint)
            {
                throw Broken(block, complaint);
            }

            if (!isFree[i] && _references[i] <= 0 && !_cache.Holds(block))
            {
                throw Broken(block, "is neither free nor cached nor referenced: it leaked");
            }
        }
    }

    private static InvalidOperationException Broken(BlockId block, string complaint) =>
        new($"The KV block pool is inconsistent: block {block.Value} {complaint}.");
}
