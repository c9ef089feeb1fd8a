using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Kernels;

/// <summary>
/// A matrix in F32, F16 or BF16 whose rows are used as they lie: in the mapped file, so that all workers of a machine share its pages, or in a copy
/// of rows that lie in no file in that order. Threads take runs of outputs as they come.
/// </summary>
internal sealed unsafe class MappedMatrix : WeightMatrix
{
    // Runs are whole groups of what the kernel takes at once.
    private const int RunOutputsStep = 8;

    private readonly RawTensor _rows;
    private readonly PackedMemory? _copy;
    private readonly delegate*<in RowProduct, int, int, void> _kernel;

    private MappedMatrix(in RawTensor rows, PackedMemory? copy)
    {
        _rows = rows;
        _copy = copy;
        _kernel = rows.Type switch
        {
            GgmlType.F32 => &RowKernel<SingleFormat>.Multiply,
            GgmlType.F16 => &RowKernel<HalfFormat>.Multiply,
            GgmlType.BF16 => &RowKernel<BrainFormat>.Multiply,
            _ => throw new ArgumentException($"{rows.Name} is in {rows.Type}, which is no plain float format; pack it instead.", nameof(rows)),
        };
        KernelName = $"{Fp32Matrix.Name(rows.Type)}·fp32/rows";
    }

    public override int Outputs => _rows.Outputs;

    public override int Inputs => _rows.Inputs;

    public override long ResidentBytes => _copy is { IsShared: false } ? _copy.ByteCount : 0;

    public override long MappedBytes => _copy is { IsShared: false } ? 0 : _rows.ByteCount;

    public override string KernelName { get; }

    /// <summary>Whether rows of a format can be used as they lie.</summary>
    public static bool Supports(GgmlType type) => type is GgmlType.F32 or GgmlType.F16 or GgmlType.BF16;

    /// <summary>Reads the rows where they are; the caller keeps their file open as long as the matrix is used.</summary>
    public static MappedMatrix InPlace(in RawTensor rows) => new(in rows, copy: null);

    /// <summary>Reads a copy of the rows (<see cref="RowsForm"/>), which the matrix disposes.</summary>
    public static MappedMatrix InCopy(in RawTensor rows, PackedMemory copy) => new(rows with { Data = (nint)copy.Address }, copy);

    public override void Multiply(Activations x, int rows, float* y, int yStride, ComputePool pool)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfLessThan(yStride, Outputs);
        Work work = new()
        {
            Matrix = this,
            Product = new RowProduct
            {
                Weights = (byte*)_rows.Data,
                RowBytes = _rows.ByteCount / Outputs,
                Inputs = Inputs,
                X = (float*)((PanelActivations)x).Floats(rows, Inputs, out _),
                Y = y,
                YStride = yStride,
                Rows = rows,
            },
            RunOutputs = RunOutputsStep * Math.Max(1, Outputs / (pool.ThreadCount * 8 * RunOutputsStep)),
        };
        pool.Run(ref work);
    }

    public override void CopyRow(int output, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)output, (uint)Outputs, nameof(output));
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, Inputs);
        BlockDecoder.Decode(_rows.Type, _rows.Row(output), destination);
    }

    public override void Dispose() => _copy?.Dispose();

    private struct Work : IParallelWork
    {
        public MappedMatrix Matrix;
        public RowProduct Product;
        public int RunOutputs;
        private long _next;

        public void Execute(int thread, int threadCount)
        {
            int outputs = Matrix.Outputs;
            while (true)
            {
                long end = Interlocked.Add(ref _next, RunOutputs);
                long start = end - RunOutputs;
                if (start >= outputs)
                {
                    return;
                }

                Matrix._kernel(in Product, (int)start, (int)Math.Min(end, outputs));
            }
        }
    }
}
