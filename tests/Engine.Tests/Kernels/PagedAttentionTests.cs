using Serving.Engine.Execution;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;
using Serving.TestKit;

namespace Serving.Engine.Tests.Kernels;

public sealed class PagedAttentionTests
{
    private static readonly (int Computed, int Rows)[] _ragged = [(0, 1), (37, 1), (0, 13), (16, 9), (71, 1)];

    public static TheoryData<KvDataType, int, int, bool, int> Layouts()
    {
        (int KeyDim, int ValueDim, bool ValuesInKeys, int BlockSize)[] layouts =
        [
            (8, 8, false, 16), (20, 20, false, 16), (16, 12, false, 16), (64, 64, false, 16), (72, 64, false, 16), (24, 24, false, 5),
            (1, 3, false, 7), (72, 64, true, 16), (20, 13, true, 5),
        ];
        TheoryData<KvDataType, int, int, bool, int> data = [];
        foreach (var (keyDim, valueDim, valuesInKeys, blockSize) in layouts)
        {
            data.Add(KvDataType.Float32, keyDim, valueDim, valuesInKeys, blockSize);
            data.Add(KvDataType.Float16, keyDim, valueDim, valuesInKeys, blockSize);
            data.Add(KvDataType.Int8, keyDim, valueDim, valuesInKeys, blockSize);
        }

        return data;
    }

    /// <summary>Every layout with every mixture of window, softcap and sinks, without and with heads that share keys.</summary>
    [Theory]
    [MemberData(nameof(Layouts))]
    public void Agrees_with_double_precision_over_a_ragged_batch(KvDataType type, int keyDim, int valueDim, bool valuesInKeys, int blockSize)
    {
        foreach (int kvHeads in (int[])[2, 6])
        {
            KvCacheLayout layout = new(Layers: 2, kvHeads, keyDim, valueDim, blockSize, type, valuesInKeys);
            foreach (int window in (int[])[0, 1, 6, 33])
            {
                foreach (float softcap in (float[])[0, 2.5f])
                {
                    AttentionShape shape = new(QueryHeads: 6, 1 / MathF.Sqrt(keyDim), window, softcap);
                    AssertAgrees(shape, layout, hasSinks: false);
                    AssertAgrees(shape, layout, hasSinks: true);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void A_row_has_the_same_bits_alone_and_in_any_batch(KvDataType type, int keyDim, int valueDim, bool valuesInKeys, int blockSize)
    {
        KvCacheLayout layout = new(Layers: 2, KvHeads: 2, keyDim, valueDim, blockSize, type, valuesInKeys);
        foreach (int window in (int[])[0, 11]) // without and with everything else
        {
            AttentionShape shape = new(QueryHeads: 6, 1 / MathF.Sqrt(keyDim), window, Softcap: window == 0 ? 0 : 4);
            using AttentionSetting batch = new(shape, layout, hasSinks: window != 0);
            batch.Add(9, 30);
            batch.Add(50, 1);
            float[] together = batch.Run(threads: 3);

            Assert.Equal(together, batch.Run(threads: 1));
            for (int row = 0; row < 31; row++)
            {
                float[] alone = row < 30 ? batch.RunRow(sequence: 0, row, computed: 9 + row) : batch.RunRow(sequence: 1, row, computed: 50);
                Assert.Equal(together.AsSpan(row * alone.Length, alone.Length).ToArray(), alone);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Every_instruction_set_gives_the_same_bits(KvDataType type, int keyDim, int valueDim, bool valuesInKeys, int blockSize)
    {
        KvCacheLayout layout = new(Layers: 2, KvHeads: 2, keyDim, valueDim, blockSize, type, valuesInKeys);
        foreach (int queryHeads in (int[])[2, 4, 6, 8, 14]) // one to four queries read in place, seven do not
        {
            AttentionShape shape = new(queryHeads, 1 / MathF.Sqrt(keyDim), Window: 200, Softcap: 4);
            float[] portable = RunOn(KernelSet.Portable, shape, layout);
            foreach (KernelSet kernels in KernelSet.All)
            {
                if (kernels.IsSupported)
                {
                    Assert.Equal(portable, RunOn(kernels, shape, layout));
                }
            }
        }
    }

    /// <summary>Keys lie in ranges of 256 positions: alone on several threads a row's ranges are computed apart, in a large step one after the other.</summary>
    /// <remarks>Values of 32 are read where they lie. A window of 245 begins in the last sixteen positions of a range.</remarks>
    [Theory]
    [InlineData(0, 24)]
    [InlineData(300, 24)]
    [InlineData(0, 32)]
    [InlineData(300, 32)]
    [InlineData(245, 32)]
    public void A_long_row_has_the_same_bits_however_its_keys_are_divided(int window, int valueDim)
    {
        KvCacheLayout layout = new(Layers: 2, KvHeads: 2, KeyDim: 16, valueDim, BlockSize: 16, KvDataType.Float16);
        AttentionShape shape = new(QueryHeads: 6, Scale: 0.25f, window);
        using AttentionSetting alone = new(shape, layout, hasSinks: true);
        alone.Add(1000, 1);
        float[] expected = alone.Run(threads: 1);
        AssertRow(alone.Reference(0, 0, 1000), expected, 0);
        Assert.Equal(expected, alone.Run(threads: 2));
        Assert.Equal(expected, alone.Run(threads: 5));

        using AttentionSetting rows = new(shape, layout, hasSinks: true);
        rows.Add(957, 50);
        float[] together = rows.Run(threads: 3);
        for (int row = 0; row < 50; row++)
        {
            AssertRow(rows.Reference(0, row, 957 + row), together, row);
            Assert.Equal(together.AsSpan(row * rows.OutputWidth, rows.OutputWidth).ToArray(), rows.RunRow(sequence: 0, row, 957 + row, threads: 4));
        }
    }

    [Theory]
    [InlineData(KvDataType.Float32)]
    [InlineData(KvDataType.Float16)]
    [InlineData(KvDataType.Int8)]
    public void Serves_many_heads_on_one_wide_latent_key(KvDataType type)
    {
        // DeepSeek-V2 and V3: 128 query heads on keys of 512 + 64 whose first 512 are the values.
        KvCacheLayout layout = new(Layers: 2, KvHeads: 1, KeyDim: 576, ValueDim: 512, BlockSize: 16, type, ValuesInKeys: true);
        AttentionShape shape = new(QueryHeads: 128, 1 / MathF.Sqrt(192 * 9));
        using AttentionSetting setting = new(shape, layout);
        setting.Add(14, 6);
        setting.Add(33, 1);
        float[] y = setting.Run(threads: 2);

        for (int row = 0; row < 7; row++)
        {
            AssertRow(setting.Reference(row < 6 ? 0 : 1, row, row < 6 ? 14 + row : 33), y, row);
        }
    }

    [Fact]
    public void Does_not_read_blocks_before_the_window()
    {
        KvCacheLayout layout = new(Layers: 2, KvHeads: 2, KeyDim: 8, ValueDim: 8, BlockSize: 4, KvDataType.Float32);
        using AttentionSetting setting = new(new AttentionShape(QueryHeads: 6, Scale: 0.3f, Window: 5), layout);

        // The rows stand at 40 to 42: they see 36 to 42, and the first nine blocks hold 0 to 35.
        setting.Add(40, 3);
        float[] before = setting.Run(threads: 1);
        setting.Spoil(sequence: 0, blocks: 9);
        Assert.Equal(before, setting.Run(threads: 1));

        setting.Spoil(sequence: 0, blocks: 10);
        Assert.Contains(float.NaN, setting.Run(threads: 1));
    }

    [Fact]
    public void A_sink_that_outweighs_all_keys_leaves_nothing()
    {
        KvCacheLayout layout = new(Layers: 1, KvHeads: 1, KeyDim: 8, ValueDim: 8, BlockSize: 4, KvDataType.Float32);
        Assert.Throws<ArgumentException>(() => new PagedAttention(new AttentionShape(QueryHeads: 2, Scale: 1), layout, [1f]));

        float[] y = SinkOutput(layout, 80);
        Assert.All(y, value => Assert.InRange(value, -1e-20f, 1e-20f));
        Assert.All(SinkOutput(layout, -80), value => Assert.Equal(1f, value, 1e-6f));
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        KvCacheLayout layout = new(Layers: 2, KvHeads: 2, KeyDim: 32, ValueDim: 32, BlockSize: 8, KvDataType.Float16);
        using AttentionSetting setting = new(new AttentionShape(QueryHeads: 6, Scale: 0.2f, Window: 6, Softcap: 3), layout, hasSinks: true);
        setting.Add(9, 5);
        using ComputePool pool = new(2);
        float[] y = new float[5 * setting.OutputWidth];

        Assert.Equal(0, SteadyState.AllocatedBytes(() =>
        {
            for (int i = 0; i < 10; i++)
            {
                setting.Run(y, pool);
            }
        }));
    }

    [Fact]
    public void Refuses_heads_and_blocks_that_do_not_fit()
    {
        KvCacheLayout layout = new(Layers: 1, KvHeads: 2, KeyDim: 64, ValueDim: 64, BlockSize: 16, KvDataType.Float16);

        Assert.Throws<ArgumentException>(() => new PagedAttention(new AttentionShape(QueryHeads: 3, Scale: 1), layout));
        Assert.Throws<ArgumentException>(() => new PagedAttention(new AttentionShape(QueryHeads: 4, Scale: 1), layout with { KeyDim = 1 << 28 }));
        Assert.Throws<ArgumentException>(() => new PagedAttention(new AttentionShape(QueryHeads: 4, Scale: 1, Window: -1), layout));
        Assert.Throws<ArgumentException>(() => new PagedAttention(new AttentionShape(QueryHeads: 4, Scale: 1, Softcap: -1), layout));
        Assert.Throws<ArgumentException>(() => new PagedAttention(new AttentionShape(QueryHeads: 4, Scale: 1, Softcap: float.NaN), layout));
    }

    private static float[] RunOn(KernelSet kernels, AttentionShape shape, KvCacheLayout layout)
    {
        using AttentionSetting setting = new(shape, layout, hasSinks: true, kernels);
        setting.Add(0, 9);
        setting.Add(290, 20);
        setting.Add(50, 1);
        return setting.Run(threads: 2);
    }

    private static void AssertAgrees(AttentionShape shape, KvCacheLayout layout, bool hasSinks, params (int Computed, int Rows)[] sequences)
    {
        sequences = sequences.Length == 0 ? _ragged : sequences;
        using AttentionSetting setting = new(shape, layout, hasSinks);
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
                AssertRow(setting.Reference(s, row, sequences[s].Computed + r), y, row);
            }
        }
    }

    private static void AssertRow(double[] expected, float[] y, int row)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            float actual = y[(row * expected.Length) + i];
            if (!(Math.Abs(actual - expected[i]) <= 2e-5))
            {
                Assert.Fail($"Row {row}, element {i} is {actual}, expected {expected[i]}.");
            }
        }
    }

    /// <summary>What one token that scores zero and whose value is all ones yields beside a sink.</summary>
    private static unsafe float[] SinkOutput(KvCacheLayout layout, float sink)
    {
        using KvStorage kv = new(layout, 1);
        using ComputePool pool = new(1);
        StepPlan plan = new(1, 1, 1);
        plan.Add(new int[1], 0, new BlockId[1], wantsLogits: false);
        float[] zeros = new float[16];
        float[] ones = [.. Enumerable.Repeat(1f, 8)];
        float[] y = new float[16];
        fixed (float* zero = zeros, one = ones, destination = y)
        {
            kv.Write(0, new BlockId(0), 0, zero, one);
            new PagedAttention(new AttentionShape(QueryHeads: 2, Scale: 1), layout, [sink, sink]).Run(0, plan, zero, 16, destination, 16, kv, pool);
        }

        return y;
    }
}
