using Serving.Engine.Execution;
using Serving.Engine.KvCache;

namespace Serving.Engine.Kernels;

/// <summary>A small step of attention by which kernels are examined for their bits before they may be used.</summary>
internal static unsafe class AttentionTrial
{
    private const int Computed = 43;
    private const int Rows = 7;
    private const int QueryHeads = 3;

    public static bool AgreesWithPortable(KernelSet set, ComputePool pool)
    {
        foreach (KvDataType type in (ReadOnlySpan<KvDataType>)[KvDataType.Float32, KvDataType.Float16, KvDataType.Int8])
        {
            // Neither the keys nor their numbers fill a tile.
            KvCacheLayout layout = new(Layers: 1, KvHeads: 1, KeyDim: 40, ValueDim: 40, BlockSize: 16, type);
            if (!Output(layout, set, pool).AsSpan().SequenceEqual(Output(layout, KernelSet.Portable, pool)))
            {
                return false;
            }
        }

        return true;
    }

    private static int[] Output(KvCacheLayout layout, KernelSet set, ComputePool pool)
    {
        int tokens = Computed + Rows;
        BlockId[] blocks = new BlockId[layout.BlocksFor(tokens)];
        for (int i = 0; i < blocks.Length; i++)
        {
            blocks[i] = new BlockId(i);
        }

        using KvStorage kv = new(layout, blocks.Length);
        StepPlan plan = new(Rows, 1, 1);
        plan.Add(new int[Rows], Computed, blocks, wantsLogits: false);
        Random random = new(1);
        int width = QueryHeads * layout.KeyDim;
        float[] queries = new float[Rows * width];
        for (int i = 0; i < queries.Length; i++)
        {
            queries[i] = random.NextSingle() - 0.5f;
        }

        int[] y = new int[Rows * width];
        fixed (float* q = queries)
        fixed (int* destination = y)
        {
            for (int t = 0; t < tokens; t++)
            {
                kv.Write(0, blocks[t / layout.BlockSize], t % layout.BlockSize, q + t, q + (2 * t));
            }

            PagedAttention attention = new(new AttentionShape(QueryHeads, Scale: 2), layout, [], set);
            attention.Run(0, plan, q, width, (float*)destination, width, kv, pool);
        }

        return y;
    }
}
