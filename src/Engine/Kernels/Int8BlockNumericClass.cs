using Serving.Engine.Formats;

namespace Serving.Engine.Kernels;

/// <summary>
/// Weights as their file quantises them × activations in int8 blocks of 32, outliers apart (<see cref="QuantizedRow"/>). A block's dot is an exact integer;
/// then <c>sum = fma(dot, weight scale · row scale, sum)</c> and <c>sum = fma(minimum, row sum, sum)</c>, in block order, and last the row's outliers in
/// their order: the same bits for every row count, thread count and instruction set. A format without an integer kernel multiplies its exact weights and
/// the fp32 activations: plain floats as they lie, K-quants and others dequantised; its <see cref="WeightMatrix.KernelName"/> says so.
/// </summary>
public sealed class Int8BlockNumericClass : NumericClass
{
    private readonly KernelSelection _selection;

    public Int8BlockNumericClass()
        : this(KernelSelection.Default)
    {
    }

    public Int8BlockNumericClass(KernelSelection selection)
    {
        ArgumentNullException.ThrowIfNull(selection);
        _selection = selection;
    }

    public override string Name => $"int8-blocks-v4/{_selection.Name}";

    internal override PackedForm FormOf(GgmlType type) =>
        Int8Matrix.Supports(type) ? Int8Matrix.Form(type)
        : MappedMatrix.Supports(type) ? RowsForm.Instance
        : Fp32Matrix.Form(type);

    internal override WeightMatrix Open(in RawTensor weights, PackedMemory memory) =>
        Int8Matrix.Supports(weights.Type) ? new Int8Matrix(in weights, memory, _selection.Kernels)
        : MappedMatrix.Supports(weights.Type) ? MappedMatrix.InCopy(in weights, memory)
        : new Fp32Matrix(in weights, memory, _selection.Kernels);

    public override long ActivationBytes(int rowsMax, int widthMax) => PanelActivations.ByteCount(rowsMax, widthMax, quantized: true);

    public override Activations CreateActivations(int rowsMax, int widthMax) => new PanelActivations(rowsMax, widthMax, quantized: true);
}
