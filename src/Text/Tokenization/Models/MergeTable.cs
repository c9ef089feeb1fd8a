using System.Numerics;

namespace Serving.Text.Tokenization.Models;

/// <summary>(left id, right id) → (rank, merged id), in an open-addressing table with linear probing, at most half full.</summary>
internal sealed class MergeTable
{
    private const ulong Empty = ulong.MaxValue;

    private readonly ulong[] _pairs;
    private readonly (uint Rank, int MergedId)[] _merges;
    private readonly int _shift;

    public MergeTable(int count)
    {
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(count * 2, 16));
        _pairs = new ulong[size];
        _merges = new (uint, int)[size];
        _shift = 64 - BitOperations.Log2((uint)size);
        Array.Fill(_pairs, Empty);
    }

    /// <summary>Adds a merge; of two for the same pair, the last counts where <paramref name="replace"/> is set, else the first.</summary>
    public void Add(int left, int right, uint rank, int mergedId, bool replace)
    {
        ulong pair = Pair(left, right);
        int slot = FindSlot(pair);
        if (_pairs[slot] == Empty || replace)
        {
            _pairs[slot] = pair;
            _merges[slot] = (rank, mergedId);
        }
    }

    public bool TryGet(int left, int right, out uint rank, out int mergedId)
    {
        ulong pair = Pair(left, right);
        int slot = FindSlot(pair);
        (rank, mergedId) = _merges[slot];
        return _pairs[slot] == pair;
    }

    private static ulong Pair(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    private int FindSlot(ulong pair)
    {
        int slot = (int)((pair * 0x9E3779B97F4A7C15) >> _shift);
        while (_pairs[slot] != pair && _pairs[slot] != Empty)
        {
            slot = (slot + 1) & (_pairs.Length - 1);
        }

        return slot;
    }
}
