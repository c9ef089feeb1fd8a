using Serving.Engine.Formats;
using Serving.Engine.Kernels;

namespace Serving.Kernels.Bench;

/// <summary>Copies of one matrix that together exceed the caches, so that every product reads its weights from memory, as a model's layers do.</summary>
internal sealed class MatrixRing : IDisposable
{
    private const long WorkingSetBytes = 80L << 20;

    private readonly BenchMatrix[] _matrices;
    private int _next;

    public MatrixRing(NumericClass numericClass, GgmlType type, int inputs, int outputs, int rows)
    {
        BenchMatrix first = new(numericClass, type, inputs, outputs, rows);
        _matrices = new BenchMatrix[Math.Min(64, (WorkingSetBytes / first.ResidentBytes) + 1)];
        _matrices[0] = first;
        for (int i = 1; i < _matrices.Length; i++)
        {
            _matrices[i] = new BenchMatrix(numericClass, type, inputs, outputs, rows);
        }
    }

    public int Count => _matrices.Length;

    public long ResidentBytes => _matrices[0].ResidentBytes;

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
    }
}
