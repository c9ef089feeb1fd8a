using Serving.Engine.Formats;

namespace Serving.Engine.Kernels;

/// <summary>
/// Weights as their file quantises them × activations in int8 blocks of 32, outliers apart (<see cref="QuantizedRow"/>). A block's dot is an exact integer;
/// then <c>sum = fma(dot, weight scale · row scale, sum)</c> and, where the format has minima, their product with the row's sum, in block order, and last
/// the row's outliers in their order: the same bits for every row count, thread count and instruction set. Plain floats multiply the fp32 activations as
/// they lie.
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

    public override string Name => $"int8-blocks-v5/{_selection.Name}";

    internal override PackedForm FormOf(GgmlType type) => MappedMatrix.Supports(type) ? RowsForm.Instance : Int8Matrix.Form(type);

    internal override WeightMatrix Open(in RawTensor weights, PackedMemory memory) => MappedMatrix.Supports(weights.Type)
        ? MappedMatrix.InCopy(in weights, memory)
        : new Int8Matrix(in weights, memory, _selection.KernelsFor(weights.Type));

    public override long ActivationBytes(int rowsMax, int widthMax) => PanelActivations.ByteCount(rowsMax, widthMax, quantized: true);

    public override Activations CreateActivations(int rowsMax, int widthMax) => new PanelActivations(rowsMax, widthMax, quantized: true);
}
