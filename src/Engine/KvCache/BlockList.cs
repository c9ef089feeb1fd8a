namespace Serving.Engine.KvCache;

/// <summary>
/// A doubly linked list of blocks whose links lie in two arrays (vLLM's free queue): every change takes the same short time wherever the block
/// stands, and allocates nothing. A block is in the list once or not at all.
/// </summary>
internal sealed class BlockList
{
    private const int Absent = -1;

    // The element behind the last block is the list's own: its next is the first block, its previous the last.
    private readonly int[] _next;
    private readonly int[] _previous;

    public BlockList(int blockCount)
    {
        _next = new int[blockCount + 1];
        _previous = new int[blockCount + 1];
        Array.Fill(_next, Absent);
        _next[Anchor] = Anchor;
        _previous[Anchor] = Anchor;
    }

    public int Count { get; private set; }

    private int Anchor => _next.Length - 1;

    public bool Contains(BlockId block) => _next[block.Value] != Absent;

    public void AddLast(BlockId block)
    {
        if (Contains(block))
        {
            throw new InvalidOperationException($"KV block {block.Value} is in the list already.");
        }

        var last = _previous[Anchor];
        (_next[last], _previous[block.Value]) = (block.Value, last);
        (_next[block.Value], _previous[Anchor]) = (Anchor, block.Value);
        Count++;
    }

    public void Remove(BlockId block)
    {
        if (!Contains(block))
        {
            throw new InvalidOperationException($"KV block {block.Value} is not in the list.");
        }

        var (previous, next) = (_previous[block.Value], _next[block.Value]);
        (_next[previous], _previous[next]) = (next, previous);
        _next[block.Value] = Absent;
        Count--;
    }

    public BlockId RemoveFirst()
    {
        var first = new BlockId(_next[Anchor]);
        if (first.Value == Anchor)
        {
            throw new InvalidOperationException("The list is empty.");
        }

        Remove(first);
        return first;
    }

    /// <summary>Throws when the links and the count do not agree.</summary>
    public void CheckIntegrity()
    {
        var count = 0;
        var previous = Anchor;
        for (var at = _next[Anchor]; at != Anchor; at = _next[at])
        {
            if (_previous[at] != previous || ++count > Count)
            {
                throw new InvalidOperationException($"The list of KV blocks is broken between {previous} and {at}.");
            }

            previous = at;
        }

        if (count != Count || _previous[Anchor] != previous)
        {
            throw new InvalidOperationException($"The list of KV blocks has {count} blocks but counts {Count}.");
        }
    }
}
