using BenchmarkDotNet.Attributes;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;

namespace Serving.Kernels.Bench;

/// <summary>Matrix products of a 135M model on all threads, weights from memory.</summary>
[MemoryDiagnoser]
public class ProductBenchmarks
{
    private MatrixRing? _ring;
    private ComputePool? _pool;

    public static IEnumerable<string> Shapes => ProductShape.All;

    [ParamsSource(nameof(Shapes))]
    public string Shape { get; set; } = "";

    [Params(1, 4, 16, 64, 512)]
    public int Rows { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        (int inputs, int outputs, GgmlType type) = ProductShape.Parse(Shape);
        _ring = new MatrixRing(new Int8BlockNumericClass(), type, inputs, outputs, Rows);
        _pool = new ComputePool(Environment.ProcessorCount);
    }

    [Benchmark]
    public void Product() => _ring!.MultiplyNext(_pool!);

    [GlobalCleanup]
    public void CleanUp()
    {
        _ring!.Dispose();
        _pool!.Dispose();
    }
}
