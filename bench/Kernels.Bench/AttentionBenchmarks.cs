using BenchmarkDotNet.Attributes;
using Serving.Engine.Kernels;

namespace Serving.Kernels.Bench;

/// <summary>Attention of one layer of a 135M model on all threads: decode at long contexts, and a prompt.</summary>
[MemoryDiagnoser]
public class AttentionBenchmarks
{
    private AttentionSetting? _setting;
    private ComputePool? _pool;

    [Params("1023+1", "2047+1", "0+512")]
    public string Tokens { get; set; } = "";

    [GlobalSetup]
    public void SetUp()
    {
        string[] parts = Tokens.Split('+');
        _setting = new AttentionSetting(int.Parse(parts[0]), int.Parse(parts[1]));
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
