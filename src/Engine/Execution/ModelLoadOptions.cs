using Serving.Engine.KvCache;
using Serving.Engine.PackedWeights;

namespace Serving.Engine.Execution;

/// <summary>Which arithmetic runs a model's products.</summary>
public enum ComputeClass
{
    /// <summary>Integer products over repacked blocks: the class to serve with.</summary>
    Fast,

    /// <summary>Plain fp32 over dequantised weights: the reference that everything else is tested against.</summary>
    Fp32,
}

/// <summary>How to load a model.</summary>
public sealed record ModelLoadOptions
{
    /// <summary>Token slots of the KV storage, in blocks. A model of several KV groups has as many blocks for each of them.</summary>
    public required int KvBlocks { get; init; }

    /// <summary>Which arithmetic. Default: <see cref="ComputeClass.Fast"/>.</summary>
    public ComputeClass ComputeClass { get; init; } = ComputeClass.Fast;

    /// <summary>How the KV cache stores numbers. Default (null): fp32 for <see cref="ComputeClass.Fp32"/>, else fp16.</summary>
    public KvDataType? KvDataType { get; init; }

    /// <summary>Token slots of a KV block. Default: 16.</summary>
    public int BlockSize { get; init; } = 16;

    /// <summary>Most rows (tokens) of one step; scratch grows with it. Default: 512.</summary>
    public int StepRowsMax { get; init; } = 512;

    /// <summary>Most tokens of a sequence, where it is to be less than the model's own and than what the KV storage holds. Default: no such limit.</summary>
    public int ContextTokensMax { get; init; } = int.MaxValue;

    /// <summary>Where packed weights are kept, so that later loads and other processes map them. Default (null): each executor packs into memory of its own.</summary>
    public WeightCache? WeightCache { get; init; }

    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(KvBlocks, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(BlockSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(BlockSize, 128);
        ArgumentOutOfRangeException.ThrowIfLessThan(StepRowsMax, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(StepRowsMax, 1 << 16);
        ArgumentOutOfRangeException.ThrowIfLessThan(ContextTokensMax, 1);
    }
}
