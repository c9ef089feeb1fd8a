using System.Runtime.CompilerServices;
using Serving.Engine.Execution;
using Serving.Engine.KvCache;

namespace Serving.Engine.Kernels;

/// <summary>
/// Causal attention with grouped queries over the paged KV cache (PagedAttention: Kwon et al., arXiv 2309.06180). A row's result depends on its own
/// sequence only: bit-identical for every batch and thread count.
/// </summary>
public sealed unsafe class PagedAttention
{
    // Rows that share one pass over the keys and values of a KV head, and the queries that they may have together.
    private const int TileRowsMax = 8;
    private const int TileQueriesMax = 512;

    // The weights of a tile lie on the stack, a block's for each query: 256 KiB at most.
    private const int TileWeightsMax = 64 * 1024;

    // Keys of a block are widened on the stack: 128 KiB at most.
    private const int BlockElementsMax = 32 * 1024;

    private readonly AttentionShape _shape;
    private readonly KvCacheLayout _layout;
    private readonly float[] _sinks;
    private readonly int _groupSize;
    private readonly int _weightStride;
    private readonly int _tileRows;

    /// <param name="sinks">A logit a query head that takes part in the softmax and has no value; empty: none.</param>
    /// <exception cref="ArgumentException">The heads do not fit each other, or a block is too large for the stack.</exception>
    public PagedAttention(AttentionShape shape, KvCacheLayout layout, ReadOnlySpan<float> sinks = default)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(layout);
        if (shape.QueryHeads < 1 || shape.QueryHeads % layout.KvHeads != 0)
        {
            throw new ArgumentException($"{shape.QueryHeads} query heads cannot share {layout.KvHeads} KV heads evenly.", nameof(shape));
        }

        if (!sinks.IsEmpty && sinks.Length != shape.QueryHeads)
        {
            throw new ArgumentException($"{shape.QueryHeads} query heads need as many sinks, but {sinks.Length} were given.", nameof(sinks));
        }

        if (shape.Window < 0 || !(shape.Softcap >= 0))
        {
            throw new ArgumentException($"{shape} has a window or a softcap below zero; zero means none.", nameof(shape));
        }

        int widest = Math.Max(layout.KeyDim, layout.ValueDim);
        if ((long)layout.BlockSize * widest > BlockElementsMax)
        {
            throw new ArgumentException(
                $"Blocks of {layout.BlockSize} slots are too large for heads of {widest}: at most {BlockElementsMax / widest} slots.", nameof(layout));
        }

        _shape = shape;
        _layout = layout;
        _sinks = sinks.ToArray();
        _groupSize = shape.QueryHeads / layout.KvHeads;
        _weightStride = (layout.BlockSize + VectorMath.Lanes - 1) & -VectorMath.Lanes;
        if ((long)_groupSize * _weightStride > TileWeightsMax)
        {
            throw new ArgumentException(
                $"Blocks of {layout.BlockSize} slots are too large for {_groupSize} query heads on each KV head: "
                + $"at most {TileWeightsMax / _groupSize & -VectorMath.Lanes} slots.",
                nameof(layout));
        }

        int tileQueries = Math.Min(TileQueriesMax, TileWeightsMax / _weightStride);
        _tileRows = Math.Clamp(tileQueries / _groupSize, 1, TileRowsMax);
    }

    /// <summary>Lets every row of <paramref name="plan"/> attend to its sequence up to itself. The rows' own K and V are already written.</summary>
    /// <param name="q"><c>[rows, query heads, key dim]</c>, rows <paramref name="qStride"/> floats apart.</param>
    /// <param name="y"><c>[rows, query heads, value dim]</c>, rows <paramref name="yStride"/> floats apart; must not overlap <paramref name="q"/>.</param>
    public void Run(int layer, StepPlan plan, float* q, int qStride, float* y, int yStride, KvStorage kv, ComputePool pool)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(kv);
        ArgumentNullException.ThrowIfNull(pool);
        if (kv.Layout != _layout)
        {
            throw new ArgumentException($"The KV storage has the layout {kv.Layout}, but the attention was made for {_layout}.", nameof(kv));
        }

        Work work = new() { Attention = this, Layer = layer, Plan = plan, Q = q, QStride = qStride, Y = y, YStride = yStride, Kv = kv };
        pool.Run(ref work);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunTile(in Work work, in StepSequence sequence, int firstRow, int rows, int kvHead)
    {
        int keyDim = _layout.KeyDim;
        int valueDim = _layout.ValueDim;
        int blockSize = _layout.BlockSize;
        int weightStride = _weightStride;
        int queries = rows * _groupSize;
        int firstPosition = sequence.ComputedTokens + firstRow;
        float* scratch = stackalloc float[blockSize * Math.Max(keyDim, valueDim)];
        float* weights = stackalloc float[queries * weightStride];
        float* maxima = stackalloc float[queries];
        float* sums = stackalloc float[queries];
        float* corrections = stackalloc float[queries];
        BeginSums(kvHead, queries, maxima, sums);
        for (int row = 0; row < rows; row++)
        {
            new Span<float>(work.Output(sequence.RowStart + firstRow + row, kvHead), _groupSize * valueDim).Clear();
        }

        ReadOnlySpan<BlockId> blocks = sequence.Blocks.Span;
        int keysMax = firstPosition + rows;
        int firstKey = FirstKey(firstPosition);
        for (int start = firstKey - (firstKey % blockSize); start < keysMax; start += blockSize)
        {
            byte* layer = work.Kv.LayerAddress(work.Layer, blocks[start / blockSize]);
            int slotsMax = Math.Min(blockSize, keysMax - start);
            float* keys = Load(layer, kvHead, keyDim, slotsMax, scratch);
            for (int query = 0; query < queries; query++)
            {
                int row = query / _groupSize;
                int first = Math.Max(0, FirstKey(firstPosition + row) - start);
                int slots = Math.Min(blockSize, firstPosition + row + 1 - start) - first;
                if (slots > 0)
                {
                    float* head = work.Query(sequence.RowStart + firstRow + row, kvHead) + (query % _groupSize * keyDim);
                    corrections[query] = AttentionTile.Score(
                        head,
                        keys + (first * keyDim),
                        slots,
                        keyDim,
                        _shape.Scale,
                        _shape.Softcap,
                        weights + (query * weightStride),
                        ref maxima[query],
                        ref sums[query]);
                }
            }

            float* values = _layout.ValuesInKeys ? keys : Load(layer + _layout.KeyBytesPerLayerBlock, kvHead, valueDim, slotsMax, scratch);
            int valueStride = _layout.ValuesInKeys ? keyDim : valueDim;
            for (int query = 0; query < queries; query++)
            {
                int row = query / _groupSize;
                int first = Math.Max(0, FirstKey(firstPosition + row) - start);
                int slots = Math.Min(blockSize, firstPosition + row + 1 - start) - first;
                if (slots > 0)
                {
                    float* head = work.Output(sequence.RowStart + firstRow + row, kvHead) + (query % _groupSize * valueDim);
                    AttentionTile.Accumulate(
                        weights + (query * weightStride), values + (first * valueStride), valueStride, slots, valueDim, corrections[query], head);
                }
            }
        }

        for (int query = 0; query < queries; query++)
        {
            float* head = work.Output(sequence.RowStart + firstRow + (query / _groupSize), kvHead) + (query % _groupSize * valueDim);
            AttentionTile.Finish(head, valueDim, sums[query]);
        }
    }

    /// <summary>The first position that the token at a position sees.</summary>
    private int FirstKey(int position) => _shape.Window == 0 ? 0 : Math.Max(0, position - _shape.Window + 1);

    /// <summary>A sink is a key with that score and no value, seen before all others.</summary>
    private void BeginSums(int kvHead, int queries, float* maxima, float* sums)
    {
        for (int query = 0; query < queries; query++)
        {
            maxima[query] = _sinks.Length == 0 ? float.NegativeInfinity : _sinks[(kvHead * _groupSize) + (query % _groupSize)];
            sums[query] = _sinks.Length == 0 ? 0 : 1;
        }
    }

    /// <summary>The first slots of a head as fp32: in place, or widened into the scratch.</summary>
    private float* Load(byte* part, int kvHead, int dim, int slots, float* scratch)
    {
        byte* source = part + (kvHead * _layout.BlockSize * dim * _layout.ElementBytes);
        if (_layout.DataType == KvDataType.Float32)
        {
            return (float*)source;
        }

        AttentionTile.Widen((short*)source, scratch, slots * dim);
        return scratch;
    }

    private struct Work : IParallelWork
    {
        public PagedAttention Attention;
        public StepPlan Plan;
        public KvStorage Kv;
        public int Layer;
        public float* Q;
        public int QStride;
        public float* Y;
        public int YStride;
        private int _next;

        /// <summary>Takes tiles (rows of one sequence × one KV head) as they come: which thread computes one does not change it.</summary>
        public void Execute(int thread, int threadCount)
        {
            int kvHeads = Attention._layout.KvHeads;
            int task = Interlocked.Increment(ref _next) - 1;
            int passed = 0;
            foreach (ref readonly StepSequence sequence in Plan.Sequences)
            {
                int tileRows = Attention._tileRows;
                int tiles = (sequence.RowCount + tileRows - 1) / tileRows;
                for (; task < passed + (tiles * kvHeads); task = Interlocked.Increment(ref _next) - 1)
                {
                    int firstRow = (task - passed) / kvHeads * tileRows;
                    int rows = Math.Min(tileRows, sequence.RowCount - firstRow);
                    Attention.RunTile(in this, in sequence, firstRow, rows, (task - passed) % kvHeads);
                }

                passed += tiles * kvHeads;
            }
        }

        public readonly float* Query(int row, int kvHead) =>
            Q + ((long)row * QStride) + (kvHead * Attention._groupSize * Attention._layout.KeyDim);

        public readonly float* Output(int row, int kvHead) =>
            Y + ((long)row * YStride) + (kvHead * Attention._groupSize * Attention._layout.ValueDim);
    }
}
