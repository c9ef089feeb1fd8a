using Serving.Engine.Execution;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;

namespace Serving.Engine.Tests.Kernels;

public sealed unsafe class PagedAttentionTests
{
    private const int QueryHeads = 6;
    private const int RowsMax = 64;

    [Theory]
    [InlineData(KvDataType.Float32, 64, 16)]
    [InlineData(KvDataType.Float16, 64, 16)]
    [InlineData(KvDataType.Float16, 24, 5)]
    public void Agrees_with_double_precision_over_a_ragged_batch(KvDataType type, int headDim, int blockSize)
    {
        using Setting setting = new(type, headDim, blockSize);
        (int Computed, int Rows)[] sequences = [(0, 1), (37, 1), (0, 21), (16, 9), (95, 1), (3, 8)];
        foreach ((int computed, int rows) in sequences)
        {
            setting.Add(computed, rows);
        }

        float[] y = setting.Run(threads: 2);

        int row = 0;
        for (int s = 0; s < sequences.Length; s++)
        {
            for (int r = 0; r < sequences[s].Rows; r++, row++)
            {
                double[] expected = setting.Reference(s, row, sequences[s].Computed + r + 1);
                for (int i = 0; i < expected.Length; i++)
                {
                    Assert.InRange(y[(row * expected.Length) + i], expected[i] - 2e-5, expected[i] + 2e-5);
                }
            }
        }
    }

    [Fact]
    public void A_row_has_the_same_bits_alone_and_in_any_batch()
    {
        using Setting batch = new(KvDataType.Float16, 32, 8);
        batch.Add(9, 30);
        batch.Add(50, 1);
        float[] together = batch.Run(threads: 3);

        for (int row = 0; row < 30; row++)
        {
            float[] alone = batch.RunRow(sequence: 0, row, computed: 9 + row);
            Assert.Equal(together.AsSpan(row * alone.Length, alone.Length).ToArray(), alone);
        }
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        using Setting setting = new(KvDataType.Float16, 32, 8);
        setting.Add(9, 5);
        using ComputePool pool = new(2);
        float[] y = new float[5 * QueryHeads * 32];
        setting.Run(y, pool);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 50; i++)
        {
            setting.Run(y, pool);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Refuses_heads_and_blocks_that_do_not_fit()
    {
        KvCacheLayout layout = new(Layers: 1, KvHeads: 2, KeyDim: 64, ValueDim: 64, BlockSize: 16, KvDataType.Float16);

        Assert.Throws<ArgumentException>(() => new PagedAttention(new AttentionShape(QueryHeads: 3, Scale: 1), layout));
        Assert.Throws<ArgumentException>(() => new PagedAttention(new AttentionShape(QueryHeads: 4, Scale: 1), layout with { BlockSize = 1024 }));
    }

    /// <summary>Sequences with random keys, values and queries in a storage whose blocks are handed out in a scattered order.</summary>
    private sealed class Setting : IDisposable
    {
        private const int Layer = 1;
        private readonly Random _random = new(5);
        private readonly KvCacheLayout _layout;
        private readonly KvStorage _kv;
        private readonly PagedAttention _attention;
        private readonly StepPlan _plan = new(RowsMax, 8, 1);
        private readonly List<float[]> _keys = [];
        private readonly List<float[]> _values = [];
        private readonly List<BlockId[]> _blocks = [];
        private readonly float[] _queries;
        private int _nextBlock;

        public Setting(KvDataType type, int headDim, int blockSize)
        {
            _layout = new KvCacheLayout(Layers: 2, KvHeads: 2, headDim, headDim, blockSize, type);
            _kv = new KvStorage(_layout, 101);
            _attention = new PagedAttention(new AttentionShape(QueryHeads, 1 / MathF.Sqrt(headDim)), _layout);
            _queries = Numbers(RowsMax * QueryHeads * headDim);
        }

        private int KvWidth => _layout.KvHeads * _layout.KeyDim;

        private int QueryWidth => QueryHeads * _layout.KeyDim;

        public void Add(int computed, int rows)
        {
            int tokens = computed + rows;
            float[] keys = Numbers(tokens * KvWidth);
            float[] values = Numbers(tokens * KvWidth);
            BlockId[] blocks = new BlockId[_layout.BlocksFor(tokens)];
            for (int i = 0; i < blocks.Length; i++)
            {
                blocks[i] = new BlockId(_nextBlock++ * 37 % 101);
            }

            fixed (float* k = keys, v = values)
            {
                for (int t = 0; t < tokens; t++)
                {
                    _kv.Write(Layer, blocks[t / _layout.BlockSize], t % _layout.BlockSize, k + (t * KvWidth), v + (t * KvWidth));
                }
            }

            _keys.Add(keys);
            _values.Add(values);
            _blocks.Add(blocks);
            _plan.Add(new int[rows], computed, blocks, wantsLogits: false);
        }

        public float[] Run(int threads)
        {
            using ComputePool pool = new(threads);
            float[] y = new float[_plan.RowCount * QueryWidth];
            Run(y, pool);
            return y;
        }

        public void Run(float[] y, ComputePool pool)
        {
            fixed (float* q = _queries, destination = y)
            {
                _attention.Run(Layer, _plan, q, QueryWidth, destination, QueryWidth, _kv, pool);
            }
        }

        public float[] RunRow(int sequence, int row, int computed)
        {
            StepPlan plan = new(1, 1, 1);
            plan.Add(new int[1], computed, _blocks[sequence], wantsLogits: false);
            using ComputePool pool = new(1);
            float[] y = new float[QueryWidth];
            fixed (float* q = _queries, destination = y)
            {
                _attention.Run(Layer, plan, q + (row * QueryWidth), QueryWidth, destination, QueryWidth, _kv, pool);
            }

            return y;
        }

        public double[] Reference(int sequence, int row, int keyCount)
        {
            double[] y = new double[QueryWidth];
            for (int head = 0; head < QueryHeads; head++)
            {
                int kvOffset = head / (QueryHeads / _layout.KvHeads) * _layout.KeyDim;
                double[] weights = new double[keyCount];
                for (int t = 0; t < keyCount; t++)
                {
                    for (int d = 0; d < _layout.KeyDim; d++)
                    {
                        double query = _queries[(row * QueryWidth) + (head * _layout.KeyDim) + d];
                        weights[t] += query * Stored(_keys[sequence][(t * KvWidth) + kvOffset + d]);
                    }
                }

                double sum = 0;
                for (int t = 0; t < keyCount; t++)
                {
                    weights[t] = Math.Exp(weights[t] / Math.Sqrt(_layout.KeyDim));
                    sum += weights[t];
                }

                for (int t = 0; t < keyCount; t++)
                {
                    for (int d = 0; d < _layout.KeyDim; d++)
                    {
                        y[(head * _layout.KeyDim) + d] += weights[t] / sum * Stored(_values[sequence][(t * KvWidth) + kvOffset + d]);
                    }
                }
            }

            return y;
        }

        public void Dispose() => _kv.Dispose();

        private double Stored(float value) => _layout.DataType == KvDataType.Float32 ? value : (double)(Half)value;

        private float[] Numbers(int count)
        {
            float[] numbers = new float[count];
            for (int i = 0; i < count; i++)
            {
                numbers[i] = (float)((_random.NextDouble() - 0.5) * 6);
            }

            return numbers;
        }
    }
}
