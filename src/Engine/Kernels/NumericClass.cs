using Serving.Engine.Formats;

namespace Serving.Engine.Kernels;

/// <summary>
/// Weight format, activation format and order of accumulation of a model's matrix products: fixed when the model loads, never dependent on how many
/// rows a step has. A row's result is bit-identical for every row count, thread count and instruction set of the same class.
/// </summary>
public abstract class NumericClass
{
    /// <summary>The class and the instruction set: <c>fp32</c>, <c>int8-blocks-v5/avx2</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Repacks a weight matrix into this class's layout, which for plain floats is a copy. The raw bytes are not needed afterwards.</summary>
    public WeightMatrix Pack(in RawTensor weights) => Open(in weights, PackedMemory.Pack(in weights, FormOf(weights.Type)));

    /// <summary>The <see cref="WeightMatrix.ResidentBytes"/> that <see cref="Pack"/> would give, without packing.</summary>
    public long PackedBytes(in RawTensor weights) => FormOf(weights.Type).ByteCount(in weights);

    /// <summary>Whether rows of that format are used as a file holds them, so that <see cref="Map"/> takes them.</summary>
    public virtual bool UsesInPlace(GgmlType type) => MappedMatrix.Supports(type);

    /// <summary>
    /// Uses a weight matrix where its rows lie, with the bits of <see cref="Pack"/>. The rows must stay there as long as the matrix is used.
    /// </summary>
    /// <exception cref="ArgumentException">The class does not use that format in place (<see cref="UsesInPlace"/>).</exception>
    public virtual WeightMatrix Map(in RawTensor weights) => MappedMatrix.InPlace(in weights);

    /// <summary>The layout that weights of a format are packed into.</summary>
    internal abstract PackedForm FormOf(GgmlType type);

    /// <summary>The matrix over memory that holds it in that layout already.</summary>
    /// <param name="weights">Name, format and size; of its rows nothing is read.</param>
    /// <param name="memory">The matrix disposes it.</param>
    internal abstract WeightMatrix Open(in RawTensor weights, PackedMemory memory);

    /// <summary>Bytes of what <see cref="CreateActivations"/> would make.</summary>
    public abstract long ActivationBytes(int rowsMax, int widthMax);

    /// <summary>Makes a buffer for the left side of products.</summary>
    public abstract Activations CreateActivations(int rowsMax, int widthMax);
}

/// <summary>The left side of products: rows of fp32 values and, after <see cref="Prepare"/>, whatever form of them the class's kernels read.</summary>
public abstract unsafe class Activations : IDisposable
{
    /// <summary><c>[rows, width]</c>, rows <c>width</c> apart, 64-byte aligned: the model writes here.</summary>
    public abstract float* Values { get; }

    /// <summary>Says that the first <paramref name="rows"/> rows have <paramref name="width"/> values; <see cref="PrepareRows"/> of all of them must follow.</summary>
    public abstract void Begin(int rows, int width);

    /// <summary>Brings some rows into the kernels' form, once for all products that read them. Threads may prepare different rows at once.</summary>
    public abstract void PrepareRows(int start, int count);

    /// <summary>Copies prepared rows of others, whose width they take on, to the first rows here.</summary>
    /// <param name="rows">The rows' numbers there.</param>
    public abstract void Gather(Activations from, ReadOnlySpan<int> rows);

    /// <summary><see cref="Begin"/> and <see cref="PrepareRows"/> of all rows, by all threads.</summary>
    public void Prepare(int rows, int width, ComputePool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        Begin(rows, width);
        PrepareWork work = new() { Activations = this, Rows = rows };
        pool.Run(ref work);
    }

    public abstract void Dispose();

    private struct PrepareWork : IParallelWork
    {
        public Activations Activations;
        public int Rows;

        public readonly void Execute(int thread, int threadCount)
        {
            int start = (int)((long)Rows * thread / threadCount);
            Activations.PrepareRows(start, (int)((long)Rows * (thread + 1) / threadCount) - start);
        }
    }
}

/// <summary>A repacked or mapped weight matrix <c>[outputs, inputs]</c>: the lower seam of the engine (DESIGN's <c>IMatrixProduct</c>).</summary>
public abstract unsafe class WeightMatrix : IDisposable
{
    public abstract int Outputs { get; }

    public abstract int Inputs { get; }

    /// <summary>Bytes that the weights take in memory of their own; 0 where they lie in a mapped file.</summary>
    public abstract long ResidentBytes { get; }

    /// <summary>Bytes of a mapped file that products read; 0 where the weights have memory of their own.</summary>
    public abstract long MappedBytes { get; }

    /// <summary>Names the kernel: <c>q4_1·int8/avx2</c>.</summary>
    public abstract string KernelName { get; }

    /// <summary>Groups of outputs that can be computed apart from each other: what threads divide among them.</summary>
    public abstract int PartCount { get; }

    /// <summary><c>y[r, o] = Σ_i x[firstRow + r, i] · w[o, i]</c> for <paramref name="rows"/> prepared rows and the outputs of some parts.</summary>
    /// <param name="y">Rows <paramref name="yStride"/> floats apart.</param>
    /// <param name="start">The first part.</param>
    /// <param name="end">The part before which it ends.</param>
    public abstract void MultiplyParts(Activations x, int firstRow, int rows, float* y, int yStride, int start, int end);

    /// <summary><c>y[r, o] = Σ_i x[r, i] · w[o, i]</c> for <paramref name="rows"/> prepared rows, by all threads.</summary>
    /// <param name="y">Rows <paramref name="yStride"/> floats apart.</param>
    public void Multiply(Activations x, int rows, float* y, int yStride, ComputePool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        pool.Products.Add(this, x, 0, rows, y, yStride);
        pool.Products.Run();
    }

    /// <summary>Writes weight row <paramref name="output"/> as fp32: the embedding look-up of a tied matrix.</summary>
    public abstract void CopyRow(int output, Span<float> destination);

    public abstract void Dispose();
}
