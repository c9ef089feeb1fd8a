using System.Runtime.InteropServices;
using Serving.Engine;
using Serving.Engine.Execution;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;

namespace Serving.Kernels.Bench;

/// <summary>One sequence in the shape of a 135M model: 9 query heads on 3 KV heads of 64, blocks of 16 slots in fp16.</summary>
internal sealed unsafe class AttentionSetting : IDisposable
{
    private const int QueryWidth = 9 * 64;
    private const int KvWidth = 3 * 64;

    private readonly KvCacheLayout _layout = new(Layers: 1, KvHeads: 3, KeyDim: 64, ValueDim: 64, BlockSize: 16, KvDataType.Float16);
    private readonly KvStorage _kv;
    private readonly PagedAttention _attention;
    private readonly StepPlan _plan;
    private readonly float* _q;
    private readonly float* _y;

    public AttentionSetting(int computedTokens, int rows)
    {
        int tokens = computedTokens + rows;
        BlockId[] blocks = [.. Enumerable.Range(0, _layout.BlocksFor(tokens)).Select(i => new BlockId(i))];
        _kv = new KvStorage(_layout, blocks.Length);
        _attention = new PagedAttention(new AttentionShape(QueryHeads: 9, Scale: 0.125f), _layout);
        _plan = new StepPlan(rows, 1, 1);
        _plan.Add(new int[rows], computedTokens, blocks, wantsLogits: false);
        _q = Numbers(rows * QueryWidth);
        _y = Numbers(rows * QueryWidth);
        float* token = Numbers(KvWidth);
        for (int t = 0; t < tokens; t++)
        {
            _kv.Write(0, blocks[t / 16], t % 16, token, token);
        }

        NativeMemory.AlignedFree(token);
    }

    public void Run(ComputePool pool) => _attention.Run(0, _plan, _q, QueryWidth, _y, QueryWidth, _kv, pool);

    public void Dispose()
    {
        _kv.Dispose();
        NativeMemory.AlignedFree(_q);
        NativeMemory.AlignedFree(_y);
    }

    private static float* Numbers(int count)
    {
        float* numbers = (float*)NativeMemory.AlignedAlloc((nuint)count * sizeof(float), 64);
        Random random = new(3);
        for (int i = 0; i < count; i++)
        {
            numbers[i] = random.NextSingle() - 0.5f;
        }

        return numbers;
    }
}
