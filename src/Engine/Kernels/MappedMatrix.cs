using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Kernels;

/// <summary>
/// A matrix in F32, F16 or BF16 whose rows are used as they lie: in the mapped file, so that all workers of a machine share its pages, or in a copy
/// of rows that lie in no file in that order.
/// </summary>
internal sealed unsafe class MappedMatrix : WeightMatrix
{
    // What the kernel takes at once.
    private const int PartOutputs = 8;

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

    public override int PartCount => (Outputs + PartOutputs - 1) / PartOutputs;

    public override void MultiplyParts(Activations x, int firstRow, int rows, float* y, int yStride, int start, int end)
    {
        ArgumentNullException.ThrowIfNull(x);
        byte* source = ((PanelActivations)x).Floats(firstRow + rows, Inputs, out long strideBytes);
        RowProduct product = new()
        {
            Weights = (byte*)_rows.Data,
            RowBytes = _rows.ByteCount / Outputs,
            Inputs = Inputs,
            X = (float*)(source + (firstRow * strideBytes)),
            Y = y,
            YStride = yStride,
            Rows = rows,
        };
        _kernel(in product, start * PartOutputs, Math.Min(end * PartOutputs, Outputs));
    }

    public override void CopyRow(int output, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)output, (uint)Outputs, nameof(output));
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, Inputs);
        BlockDecoder.Decode(_rows.Type, _rows.Row(output), destination);
    }

    public override void Dispose() => _copy?.Dispose();
}
