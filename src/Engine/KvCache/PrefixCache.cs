using System.Diagnostics.CodeAnalysis;

namespace Serving.Engine.KvCache;

/// <summary>
/// Which block holds which tokens, for blocks in use and for those that wait, unreferenced, to be found again. The ones that wait are evicted in
/// the order in which they were let go. Allocates nothing once it is made.
/// </summary>
internal sealed class PrefixCache
{
    private readonly Dictionary<BlockIdentity, BlockId> _blocks;
    private readonly BlockIdentity[] _identities;
    private readonly BlockList _unreferenced;

    public PrefixCache(int blockCount)
    {
        _blocks = new Dictionary<BlockIdentity, BlockId>(blockCount);
        _identities = new BlockIdentity[blockCount];
        _unreferenced = new BlockList(blockCount);
    }

    /// <summary>Blocks that nobody references and that can be found.</summary>
    public int UnreferencedCount => _unreferenced.Count;

    public bool TryFind(BlockIdentity identity, [NotNullWhen(true)] out BlockId block) => _blocks.TryGetValue(identity, out block);

    public bool Holds(BlockId block) => !_identities[block.Value].IsNone;

    /// <summary>Lets a block be found. Where another one has the same tokens already, that one is found, and this one stays unknown.</summary>
    public void Add(BlockId block, BlockIdentity identity)
    {
        if (!Holds(block) && _blocks.TryAdd(identity, block))
        {
            _identities[block.Value] = identity;
        }
    }

    /// <summary>A block that can be found has lost its last reference.</summary>
    public void Park(BlockId block) => _unreferenced.AddLast(block);

    /// <summary>A block that was parked is referenced again.</summary>
    public void Unpark(BlockId block) => _unreferenced.Remove(block);

    /// <summary>Forgets the block that was parked first, and gives it away.</summary>
    public BlockId Evict()
    {
        var block = _unreferenced.RemoveFirst();
        Forget(block);
        return block;
    }

    /// <summary>Lets a block that is not parked be found no more.</summary>
    public void Forget(BlockId block)
    {
        if (Holds(block))
        {
            _blocks.Remove(_identities[block.Value]);
            _identities[block.Value] = default;
        }
    }

    /// <summary>What is wrong with a block of so many references; null: nothing.</summary>
    public string? Examine(BlockId block, int references) => (Holds(block), _unreferenced.Contains(block), references) switch
    {
        (false, true, _) => "waits to be found and has no identity",
        (true, true, > 0) => "is referenced and may be evicted",
        (true, false, 0) => "has an identity and neither a reference nor a place in the queue of evictions",
        (true, _, _) when !TryFind(_identities[block.Value], out var found) || found != block => "cannot be found by its identity",
        _ => null,
    };

    /// <summary>Throws when the index, the identities and the queue of evictions do not agree.</summary>
    public void CheckIntegrity()
    {
        _unreferenced.CheckIntegrity();
        var held = 0;
        foreach (ref readonly var identity in _identities.AsSpan())
        {
            held += identity.IsNone ? 0 : 1;
        }

        if (held != _blocks.Count)
        {
            throw new InvalidOperationException($"{held} KV blocks have an identity, but {_blocks.Count} can be found.");
        }
    }
}
