using System.Numerics;

namespace Serving.Text.Tokenization.Models;

/// <summary>
/// Byte-pair merging of one piece: the most urgent pair first, of equals the leftmost, in O(n log n). Symbols are a linked list in
/// arrays; the heap may hold entries that an earlier merge has overtaken, which their priority gives away.
/// </summary>
internal sealed class SymbolMerger
{
    private const uint NoMerge = uint.MaxValue;

    /// <summary>Beyond this many symbols the buffers are let go after use: a megabyte of one letter should not stay in memory.</summary>
    private const int RetainedSymbolsMax = 1 << 16;

    [ThreadStatic]
    private static SymbolMerger? t_cached;

    private int[] _ids = new int[64];
    private int[] _starts = new int[64];
    private int[] _previous = new int[64];
    private int[] _next = new int[64];
    private int[] _targets = new int[64];
    private uint[] _priorities = new uint[64];
    private ulong[] _heap = new ulong[128];
    private int _heapCount;
    private int _count;

    /// <summary>The calling thread's merger, empty.</summary>
    public static SymbolMerger Rent()
    {
        SymbolMerger merger = t_cached ?? new SymbolMerger();
        t_cached = null;
        merger._count = 0;
        merger._heapCount = 0;
        return merger;
    }

    public void Return()
    {
        if (_ids.Length <= RetainedSymbolsMax)
        {
            t_cached = this;
        }
    }

    public void Add(int id, int start)
    {
        if (_count == _ids.Length)
        {
            Grow();
        }

        _ids[_count] = id;
        _starts[_count++] = start;
    }

    public void Merge<TRule>(TRule rule, int length) where TRule : IMergeRule, allows ref struct
    {
        for (int i = 0; i < _count; i++)
        {
            _previous[i] = i - 1;
            _next[i] = i + 1 < _count ? i + 1 : -1;
        }

        for (int i = 0; i < _count; i++)
        {
            Consider(ref rule, i, length);
        }

        while (_heapCount > 0)
        {
            ulong entry = Pop();
            int left = (int)(uint)entry;
            if (_priorities[left] != (uint)(entry >> 32))
            {
                continue;
            }

            int right = _next[left];
            int after = _next[right];
            _ids[left] = _targets[left];
            _priorities[right] = NoMerge;
            _next[left] = after;
            if (after >= 0)
            {
                _previous[after] = left;
            }

            Consider(ref rule, left, length);
            if (_previous[left] >= 0)
            {
                Consider(ref rule, _previous[left], length);
            }
        }
    }

    /// <summary>The first symbol, or -1 where there is none.</summary>
    public int First => _count > 0 ? 0 : -1;

    public int Next(int symbol) => _next[symbol];

    public int Id(int symbol) => _ids[symbol];

    public int Start(int symbol) => _starts[symbol];

    private void Consider<TRule>(ref TRule rule, int left, int length) where TRule : IMergeRule, allows ref struct
    {
        int right = _next[left];
        _priorities[left] = NoMerge;
        if (right < 0)
        {
            return;
        }

        int end = _next[right] < 0 ? length : _starts[_next[right]];
        if (rule.TryMerge(_ids[left], _ids[right], _starts[left], end, out uint priority, out int merged))
        {
            _priorities[left] = priority;
            _targets[left] = merged;
            Push(((ulong)priority << 32) | (uint)left);
        }
    }

    private void Push(ulong entry)
    {
        if (_heapCount == _heap.Length)
        {
            Array.Resize(ref _heap, _heap.Length * 2);
        }

        int at = _heapCount++;
        while (at > 0)
        {
            int parent = (at - 1) / 2;
            if (_heap[parent] <= entry)
            {
                break;
            }

            _heap[at] = _heap[parent];
            at = parent;
        }

        _heap[at] = entry;
    }

    private ulong Pop()
    {
        ulong top = _heap[0];
        ulong last = _heap[--_heapCount];
        int at = 0;
        while (true)
        {
            int child = (2 * at) + 1;
            if (child >= _heapCount)
            {
                break;
            }

            if (child + 1 < _heapCount && _heap[child + 1] < _heap[child])
            {
                child++;
            }

            if (last <= _heap[child])
            {
                break;
            }

            _heap[at] = _heap[child];
            at = child;
        }

        _heap[at] = last;
        return top;
    }

    private void Grow()
    {
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)_count + 1);
        Array.Resize(ref _ids, size);
        Array.Resize(ref _starts, size);
        Array.Resize(ref _previous, size);
        Array.Resize(ref _next, size);
        Array.Resize(ref _targets, size);
        Array.Resize(ref _priorities, size);
    }
}
