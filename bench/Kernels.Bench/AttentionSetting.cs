using System.Runtime.InteropServices;
using Serving.Engine;
using Serving.Engine.Execution;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;

namespace Serving.Kernels.Bench;

/// <summary>
/// Sequences in the shape of a 135M model: 9 query heads on 3 KV heads of 64, blocks of 16 slots, and as many layers, one a run, so that keys and values come
/// from where a step finds them.
/// </summary>
internal sealed unsafe class AttentionSetting : IDisposable
{
    private const int QueryWidth = 9 * 64;
    private const int KvWidth = 3 * 64;
    private const int Layers = 30;

    private readonly KvCacheLayout _layout;
    private readonly KvStorage _kv;
    private readonly PagedAttention _attention;
    private readonly StepPlan _plan;
    private readonly float* _q;
    private readonly float* _y;
    private int _layer;

    public AttentionSetting(int sequences, int computedTokens, int rows, KvDataType type)
    {
        _layout = new(Layers, KvHeads: 3, KeyDim: 64, ValueDim: 64, BlockSize: 16, type);
        int tokens = computedTokens + rows;
        int blocks = _layout.BlocksFor(tokens);
        _kv = new KvStorage(_layout, sequences * blocks);
        _attention = new PagedAttention(new AttentionShape(QueryHeads: 9, Scale: 0.125f), _layout);
        _plan = new StepPlan(sequences * rows, sequences, 1);
        _q = Numbers(sequences * rows * QueryWidth);
        _y = Numbers(sequences * rows * QueryWidth);
        float* token = Numbers(KvWidth);
        for (int s = 0; s < sequences; s++)
        {
            // Blocks of sequences that grew together take turns.
            BlockId[] own = [.. Enumerable.Range(0, blocks).Select(i => new BlockId((i * sequences) + s))];
            _plan.Add(new int[rows], computedTokens, own, wantsLogits: false);
            for (int i = 0; i < tokens * Layers; i++)
            {
                _kv.Write(i / tokens, own[i % tokens / 16], i % tokens % 16, token, token);
            }
        }

        KeyValueBytes = (long)sequences * tokens * _layout.BytesPerTokenPerLayer;
        NativeMemory.AlignedFree(token);
    }

    /// <summary>What a run reads.</summary>
    public long KeyValueBytes { get; }

    public void Run(ComputePool pool)
    {
        _attention.Run(_layer, _plan, _q, QueryWidth, _y, QueryWidth, _kv, pool);
        _layer = (_layer + 1) % Layers;
    }

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
