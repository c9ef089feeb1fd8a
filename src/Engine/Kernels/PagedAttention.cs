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
    // Rows that share one pass over the keys and values of a KV head.
    private const int TileRows = 8;

    // Keys of a block are widened on the stack: 128 KiB at most.
    private const int BlockElementsMax = 32 * 1024;

    private readonly KvCacheLayout _layout;
    private readonly int _groupSize;
    private readonly float _scale;

    /// <param name="queryHeads">Heads of q and y; a multiple of the layout's KV heads.</param>
    /// <param name="scale">What scores are multiplied with; <c>1 / √headDim</c> by default.</param>
    public PagedAttention(int queryHeads, KvCacheLayout layout, float? scale = null)
    {
        ArgumentNullException.ThrowIfNull(layout);
        if (queryHeads < 1 || queryHeads % layout.KvHeads != 0)
        {
            throw new ArgumentException($"{queryHeads} query heads cannot share {layout.KvHeads} KV heads evenly.", nameof(queryHeads));
        }

        if (layout.BlockSize * layout.HeadDim > BlockElementsMax)
        {
            throw new ArgumentException(
                $"Blocks of {layout.BlockSize} slots are too large for heads of {layout.HeadDim}: at most {BlockElementsMax / layout.HeadDim} slots.", nameof(layout));
        }

        _layout = layout;
        _groupSize = queryHeads / layout.KvHeads;
        _scale = scale ?? (1f / MathF.Sqrt(layout.HeadDim));
    }

    /// <summary>Lets every row of <paramref name="plan"/> attend to its sequence up to itself. The rows' own K and V are already written.</summary>
    /// <param name="q"><c>[rows, query heads, headDim]</c>, rows <paramref name="qStride"/> floats apart.</param>
    /// <param name="y">As <paramref name="q"/>; must not overlap it.</param>
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
        int headDim = _layout.HeadDim;
        int blockSize = _layout.BlockSize;
        int weightStride = (blockSize + VectorMath.Lanes - 1) & -VectorMath.Lanes;
        int queries = rows * _groupSize;
        float* scratch = stackalloc float[blockSize * headDim];
        float* weights = stackalloc float[queries * weightStride];
        float* maxima = stackalloc float[queries];
        float* sums = stackalloc float[queries];
        float* corrections = stackalloc float[queries];
        new Span<float>(maxima, queries).Fill(float.NegativeInfinity);
        new Span<float>(sums, queries).Clear();
        for (int row = 0; row < rows; row++)
        {
            new Span<float>(work.Output(sequence.RowStart + firstRow + row, kvHead), _groupSize * headDim).Clear();
        }

        ReadOnlySpan<BlockId> blocks = sequence.Blocks.Span;
        int keysMax = sequence.ComputedTokens + firstRow + rows;
        for (int start = 0; start < keysMax; start += blockSize)
        {
            byte* layer = work.Kv.LayerAddress(work.Layer, blocks[start / blockSize]);
            int slotsMax = Math.Min(blockSize, keysMax - start);
            float* keys = Load(layer, kvHead, slotsMax, scratch);
            for (int query = 0; query < queries; query++)
            {
                int row = query / _groupSize;
                int slots = Math.Min(blockSize, sequence.ComputedTokens + firstRow + row + 1 - start);
                if (slots > 0)
                {
                    float* head = work.Query(sequence.RowStart + firstRow + row, kvHead) + (query % _groupSize * headDim);
                    corrections[query] = AttentionTile.Score(
                        head, keys, slots, headDim, _scale, weights + (query * weightStride), ref maxima[query], ref sums[query]);
                }
            }

            float* values = Load(layer + (_layout.BytesPerLayerBlock / 2), kvHead, slotsMax, scratch);
            for (int query = 0; query < queries; query++)
            {
                int row = query / _groupSize;
                int slots = Math.Min(blockSize, sequence.ComputedTokens + firstRow + row + 1 - start);
                if (slots > 0)
                {
                    float* head = work.Output(sequence.RowStart + firstRow + row, kvHead) + (query % _groupSize * headDim);
                    AttentionTile.Accumulate(weights + (query * weightStride), values, slots, headDim, corrections[query], head);
                }
            }
        }

        for (int query = 0; query < queries; query++)
        {
            float* head = work.Output(sequence.RowStart + firstRow + (query / _groupSize), kvHead) + (query % _groupSize * headDim);
            AttentionTile.Finish(head, headDim, sums[query]);
        }
    }

    /// <summary>The first slots of a head as fp32: in place, or widened into the scratch.</summary>
    private float* Load(byte* half, int kvHead, int slots, float* scratch)
    {
        byte* source = half + (kvHead * _layout.BlockSize * _layout.HeadDim * _layout.ElementBytes);
        if (_layout.DataType == KvDataType.Float32)
        {
            return (float*)source;
        }

        AttentionTile.Widen((short*)source, scratch, slots * _layout.HeadDim);
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
                int tiles = (sequence.RowCount + TileRows - 1) / TileRows;
                for (; task < passed + (tiles * kvHeads); task = Interlocked.Increment(ref _next) - 1)
                {
                    int firstRow = (task - passed) / kvHeads * TileRows;
                    int rows = Math.Min(TileRows, sequence.RowCount - firstRow);
                    Attention.RunTile(in this, in sequence, firstRow, rows, (task - passed) % kvHeads);
                }

                passed += tiles * kvHeads;
            }
        }

        public readonly float* Query(int row, int kvHead) => Q + ((long)row * QStride) + HeadOffset(kvHead);

        public readonly float* Output(int row, int kvHead) => Y + ((long)row * YStride) + HeadOffset(kvHead);

        private readonly int HeadOffset(int kvHead) => kvHead * Attention._groupSize * Attention._layout.HeadDim;
    }
}
