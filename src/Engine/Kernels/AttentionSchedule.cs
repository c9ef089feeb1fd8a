using Serving.Engine.Execution;
using Serving.Engine.KvCache;

namespace Serving.Engine.Kernels;

/// <summary>
/// How a step's attention is divided: tiles of queries of one KV head of a sequence, as many threads as there are taking them as they come. A tile that
/// alone would keep the others waiting is divided by ranges of keys too, and who computes its last range merges all of them in order: so what the threads do
/// changes no bit. Grows to the largest step and then allocates nothing.
/// </summary>
internal sealed unsafe class AttentionSchedule(AttentionShape shape, KvCacheLayout layout)
{
    // A tile that costs more than this part of what a thread has to do is divided.
    private const int SharesPerThread = 4;

    private readonly int _groupSize = shape.QueryHeads / layout.KvHeads;
    private readonly int _valueStride = AttentionScratch.StrideOf(layout);
    private Task[] _tasks = new Task[64];
    private int[] _rangesLeft = new int[64];
    private float[] _partials = [];
    private int _taskCount;
    private int _splitCount;

    public ReadOnlySpan<Task> Tasks => _tasks.AsSpan(0, _taskCount);

    public void Fill(StepPlan plan, int threads)
    {
        _taskCount = 0;
        _splitCount = 0;
        long total = 0;
        foreach (ref readonly StepSequence sequence in plan.Sequences)
        {
            for (int query = 0; query < sequence.RowCount * _groupSize; query += AttentionScratch.QueriesMax)
            {
                total += TileOf(in sequence, query).Cost * layout.KvHeads;
            }
        }

        long costMax = threads == 1 ? long.MaxValue : total / (SharesPerThread * threads);
        long partialFloats = 0;
        for (int s = 0; s < plan.SequenceCount; s++)
        {
            // The last rows see the most keys: what costs most comes first.
            ref readonly StepSequence sequence = ref plan.Sequences[s];
            int tiles = ((sequence.RowCount * _groupSize) + AttentionScratch.QueriesMax - 1) / AttentionScratch.QueriesMax;
            for (int tile = tiles - 1; tile >= 0; tile--)
            {
                Tile of = TileOf(in sequence, tile * AttentionScratch.QueriesMax);
                for (int kvHead = 0; kvHead < layout.KvHeads; kvHead++)
                {
                    Add(s, kvHead, of, isSplit: of.Cost > costMax && of.RangeCount > 1, ref partialFloats);
                }
            }
        }

        if (partialFloats > _partials.Length)
        {
            _partials = GC.AllocateUninitializedArray<float>(checked((int)(partialFloats * 2)), pinned: true);
        }
    }

    /// <summary>Where the part of one range of a divided tile goes.</summary>
    /// <param name="range">Counted from the tile's first.</param>
    public PartialAttention PartialOf(in Task task, int range)
    {
        // The array is pinned, and a step's parts all lie in it.
        fixed (float* partials = _partials)
        {
            int size = PartialAttention.FloatCount(task.QueryCount, _valueStride);
            return new PartialAttention(partials + task.PartialStart + ((long)range * size), task.QueryCount, _valueStride);
        }
    }

    /// <summary>Says that one range of a divided tile is done.</summary>
    /// <returns>Whether it was the last.</returns>
    public bool Finish(in Task task) => Interlocked.Decrement(ref _rangesLeft[task.Split]) == 0;

    private void Add(int sequence, int kvHead, in Tile tile, bool isSplit, ref long partialFloats)
    {
        Task task = new(sequence, kvHead, tile.FirstQuery, tile.QueryCount, tile.FirstRange, tile.RangeCount, Range: -1, Split: -1, partialFloats);
        if (!isSplit)
        {
            Add(task);
            return;
        }

        if (_splitCount == _rangesLeft.Length)
        {
            Array.Resize(ref _rangesLeft, 2 * _splitCount);
        }

        _rangesLeft[_splitCount] = tile.RangeCount;
        for (int range = 0; range < tile.RangeCount; range++)
        {
            Add(task with { Range = range, Split = _splitCount });
        }

        partialFloats += (long)tile.RangeCount * PartialAttention.FloatCount(tile.QueryCount, _valueStride);
        _splitCount++;
    }

    private void Add(in Task task)
    {
        if (_taskCount == _tasks.Length)
        {
            Array.Resize(ref _tasks, 2 * _taskCount);
        }

        _tasks[_taskCount++] = task;
    }

    private Tile TileOf(in StepSequence sequence, int firstQuery)
    {
        int queries = Math.Min(AttentionScratch.QueriesMax, (sequence.RowCount * _groupSize) - firstQuery);
        int firstKey = shape.FirstKey(sequence.ComputedTokens + (firstQuery / _groupSize));
        int endKey = sequence.ComputedTokens + ((firstQuery + queries - 1) / _groupSize) + 1;
        int firstRange = firstKey / AttentionPart.RangeKeys;
        int ranges = ((endKey - 1) / AttentionPart.RangeKeys) + 1 - firstRange;
        return new Tile(firstQuery, queries, firstRange, ranges, (long)queries * (endKey - firstKey));
    }

    private readonly record struct Tile(int FirstQuery, int QueryCount, int FirstRange, int RangeCount, long Cost);

    /// <summary>What one thread does at a time.</summary>
    /// <param name="FirstQuery">The number of its first query among those of the KV head in the sequence.</param>
    /// <param name="FirstRange">The first range of positions that any of its queries sees.</param>
    /// <param name="RangeCount">Ranges of its tile.</param>
    /// <param name="Range">The one range that it computes, counted from the tile's first; −1: all.</param>
    /// <param name="Split">Which of the divided tiles it belongs to; −1: none.</param>
    /// <param name="PartialStart">Where the parts of its tile begin.</param>
    internal readonly record struct Task(
        int Sequence, int KvHead, int FirstQuery, int QueryCount, int FirstRange, int RangeCount, int Range, int Split, long PartialStart);
}
