using System.Runtime.CompilerServices;

namespace Serving.Engine.Kernels;

/// <summary>
/// Products that take one trip to the threads: those of the rows' queries, keys and values, or of all experts of a layer. Threads divide
/// the parts of all of them (<see cref="WorkStretches"/>). The list is empty again after its run; once it has grown it allocates nothing.
/// </summary>
internal sealed unsafe class ProductList
{
    private const int PiecesPerThread = 6;

    private readonly ComputePool _pool;
    private readonly WorkStretches _stretches;
    private Product[] _products = new Product[4];
    private int _count;
    private int _parts;

    public ProductList(ComputePool pool)
    {
        _pool = pool;
        _stretches = new WorkStretches(pool.ThreadCount);
    }

    /// <summary>Adds <c>y[r, o] = Σ_i x[firstRow + r, i] · w[o, i]</c> for <paramref name="rows"/> prepared rows.</summary>
    /// <param name="y">Rows <paramref name="yStride"/> floats apart.</param>
    public void Add(WeightMatrix weights, Activations x, int firstRow, int rows, float* y, int yStride)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentOutOfRangeException.ThrowIfLessThan(yStride, weights.Outputs);
        if (_count == _products.Length)
        {
            Array.Resize(ref _products, 2 * _count);
        }

        _parts += weights.PartCount;
        _products[_count++] = new Product(weights, x, firstRow, rows, y, yStride, _parts);
    }

    /// <summary>Computes all products and empties the list.</summary>
    public void Run()
    {
        _stretches.Begin(_parts, Math.Max(1, _parts / (_pool.ThreadCount * PiecesPerThread)));
        try
        {
            Work work = new() { List = this };
            _pool.Run(ref work);
        }
        finally
        {
            _products.AsSpan(0, _count).Clear();
            _count = 0;
            _parts = 0;
        }
    }

    private void Execute(int thread)
    {
        int done = 0;
        while (_stretches.TryTake(thread, ref done, out int start, out int end))
        {
            RunParts(start, end);
        }
    }

    private void RunParts(int start, int end)
    {
        int index = 0;
        while (_products[index].PartsEnd <= start)
        {
            index++;
        }

        for (int before = index == 0 ? 0 : _products[index - 1].PartsEnd; start < end; index++)
        {
            ref readonly Product product = ref _products[index];
            int stop = Math.Min(end, product.PartsEnd);
            product.Weights.MultiplyParts(product.X, product.FirstRow, product.Rows, product.Y, product.YStride, start - before, stop - before);
            before = product.PartsEnd;
            start = stop;
        }
    }

    private readonly struct Product(WeightMatrix weights, Activations x, int firstRow, int rows, float* y, int yStride, int partsEnd)
    {
        public readonly WeightMatrix Weights = weights;
        public readonly Activations X = x;
        public readonly int FirstRow = firstRow;
        public readonly int Rows = rows;
        public readonly float* Y = y;
        public readonly int YStride = yStride;

        /// <summary>Where its parts end among those of all products.</summary>
        public readonly int PartsEnd = partsEnd;
    }

    private struct Work : IParallelWork
    {
        public ProductList List;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Execute(int thread, int threadCount) => List.Execute(thread);
    }
}
