using Serving.Engine.KvCache;

namespace Serving.Engine.Kernels;

/// <summary>What one thread needs to compute attention: a tile of queries, and keys, values and scores of a part.</summary>
internal sealed unsafe class AttentionScratch
{
    /// <summary>Queries of a tile at most.</summary>
    public const int QueriesMax = 48;

    private const int CacheLine = 64;

    // Pinned for life.
    private readonly float[] _memory;

    public AttentionScratch(KvCacheLayout layout)
    {
        ValueStride = StrideOf(layout);
        int keys = layout.KeyDim * AttentionPart.TileKeys;
        int values = AttentionPart.TileKeys * ValueStride;
        int queries = RoundUp(QueriesMax * layout.KeyDim, CacheLine / sizeof(float));
        int scores = QueriesMax * AttentionPart.RangeKeys;
        int partial = PartialAttention.FloatCount(QueriesMax, ValueStride);
        _memory = GC.AllocateArray<float>(keys + values + queries + scores + (2 * partial) + (2 * AttentionPart.RangeKeys) + (CacheLine / sizeof(float)), pinned: true);

        fixed (float* start = _memory)
        {
            Keys = (float*)(((nint)start + CacheLine - 1) & -CacheLine);
        }

        Values = Keys + keys;
        Queries = Values + values;
        Scores = Queries + queries;
        KeyScales = Scores + scores + (2 * partial);
        ValueScales = KeyScales + AttentionPart.RangeKeys;
        Part = new PartialAttention(Scores + scores, QueriesMax, ValueStride);
        Total = new PartialAttention(Scores + scores + partial, QueriesMax, ValueStride);
    }

    /// <summary>Floats from one widened value to the next; those past the value's own are never read as a result.</summary>
    public int ValueStride { get; }

    /// <summary><c>[key dim, TileKeys]</c>.</summary>
    public float* Keys { get; }

    /// <summary><c>[TileKeys, ValueStride]</c>.</summary>
    public float* Values { get; }

    /// <summary><c>[QueriesMax, key dim]</c>, multiplied with the scale of scores.</summary>
    public float* Queries { get; }

    /// <summary><c>[QueriesMax, RangeKeys]</c>.</summary>
    public float* Scores { get; }

    /// <summary>Of each key of the range, where they are stored as bytes.</summary>
    public float* KeyScales { get; }

    /// <summary>Of each value of the range, where they are stored as bytes.</summary>
    public float* ValueScales { get; }

    public PartialAttention Part { get; }

    public PartialAttention Total { get; }

    /// <summary><see cref="ValueStride"/> of a layout.</summary>
    public static int StrideOf(KvCacheLayout layout) => RoundUp(layout.ValueDim, AttentionPart.TileKeys);

    private static int RoundUp(int number, int multiple) => (number + multiple - 1) / multiple * multiple;
}
