using TorchSharp;
using static TorchSharp.torch;

namespace Serving.Kernels.Bench.Torch;

/// <summary>A matrix product as TorchSharp does it: libtorch, and inside oneDNN or MKL.</summary>
internal sealed class TorchProduct : IDisposable
{
    private readonly Tensor _x;
    private readonly Tensor _w;

    static TorchProduct() => TorchLibrary.MakeLoadable();

    private TorchProduct(ScalarType type, int rows, int inputs, int outputs, int threads)
    {
        set_num_threads(threads);
        _x = randn([rows, inputs]).to(type);
        _w = randn([outputs, inputs]).to(type);
    }

    public static TorchProduct OfBFloat16(int rows, int inputs, int outputs, int threads) => new(ScalarType.BFloat16, rows, inputs, outputs, threads);

    public static TorchProduct OfFloat(int rows, int inputs, int outputs, int threads) => new(ScalarType.Float32, rows, inputs, outputs, threads);

    public void Multiply()
    {
        using Tensor product = nn.functional.linear(_x, _w);
    }

    public void Dispose()
    {
        _x.Dispose();
        _w.Dispose();
    }
}
