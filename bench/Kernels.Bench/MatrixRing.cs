using Serving.Engine.Formats;
using Serving.Engine.Kernels;

namespace Serving.Kernels.Bench;

/// <summary>Copies of one matrix that together exceed the caches, so that every product reads its weights from memory, as a model's layers do.</summary>
internal sealed class MatrixRing : IDisposable
{
    private const long WorkingSetBytes = 80L << 20;

    private readonly BenchMatrix[] _matrices;
    private readonly NativeBuffer _weights;
    private int _next;

    /// <param name="copiesMax">The most copies: 1 for weights that the caches hold.</param>
    public MatrixRing(NumericClass numericClass, GgmlType type, int inputs, int outputs, int rows, int copiesMax = int.MaxValue)
    {
        // One buffer, as a model's loader has it, so that huge pages back it.
        ResidentBytes = numericClass.PackedBytes(new RawTensor("bench", type, outputs, inputs, 0, BenchMatrix.RawBytes(type, inputs, outputs)));
        _matrices = new BenchMatrix[Math.Min(copiesMax, (WorkingSetBytes / ResidentBytes) + 1)];
        long stride = (ResidentBytes + NativeBuffer.Alignment - 1) & -NativeBuffer.Alignment;
        _weights = new NativeBuffer(stride * _matrices.Length);
        for (int i = 0; i < _matrices.Length; i++)
        {
            _matrices[i] = new BenchMatrix(numericClass, type, inputs, outputs, rows, _weights, stride * i);
        }
    }

    public int Count => _matrices.Length;

    /// <summary>Of one matrix.</summary>
    public long ResidentBytes { get; }

    public void MultiplyNext(ComputePool pool)
    {
        _matrices[_next].Multiply(pool);
        _next = _next + 1 == _matrices.Length ? 0 : _next + 1;
    }

    public void MultiplyAll(ComputePool pool)
    {
        for (int i = 0; i < _matrices.Length; i++)
        {
            MultiplyNext(pool);
        }
    }

    public void Dispose()
    {
        foreach (BenchMatrix matrix in _matrices)
        {
            matrix.Dispose();
        }

        _weights.Dispose();
    }
}
