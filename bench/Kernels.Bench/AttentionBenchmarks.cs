using BenchmarkDotNet.Attributes;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;

namespace Serving.Kernels.Bench;

/// <summary>Attention of one layer of a 135M model on all threads: decode at long contexts, and a prompt.</summary>
[MemoryDiagnoser]
public class AttentionBenchmarks
{
    private AttentionSetting? _setting;
    private ComputePool? _pool;

    /// <summary>Sequences × tokens that are computed + rows.</summary>
    [Params("1x1023+1", "1x2047+1", "32x191+1", "1x0+512")]
    public string Tokens { get; set; } = "";

    [ParamsAllValues]
    public KvDataType KvType { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        string[] parts = Tokens.Split('x', '+');
        _setting = new AttentionSetting(int.Parse(parts[0]), int.Parse(parts[1]), int.Parse(parts[2]), KvType);
        _pool = new ComputePool(Environment.ProcessorCount);
    }

    [Benchmark]
    public void Attention() => _setting!.Run(_pool!);

    [GlobalCleanup]
    public void CleanUp()
    {
        _setting!.Dispose();
        _pool!.Dispose();
    }
}
