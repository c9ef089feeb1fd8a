using Serving.Engine.Formats;

namespace Serving.Engine.Kernels;

/// <summary>The reference: every weight as the exact fp32, fp32 activations. Plain floats are read as they lie, blocks are dequantised.</summary>
public sealed class Fp32NumericClass : NumericClass
{
    private readonly KernelSelection _selection;

    public Fp32NumericClass()
        : this(KernelSelection.Default)
    {
    }

    public Fp32NumericClass(KernelSelection selection)
    {
        ArgumentNullException.ThrowIfNull(selection);
        _selection = selection;
    }

    public override string Name => "fp32";

    internal override PackedForm FormOf(GgmlType type) => MappedMatrix.Supports(type) ? RowsForm.Instance : Fp32Matrix.Form(type);

    internal override WeightMatrix Open(in RawTensor weights, PackedMemory memory) =>
        MappedMatrix.Supports(weights.Type) ? MappedMatrix.InCopy(in weights, memory) : new Fp32Matrix(in weights, memory, _selection.Kernels);

    public override long ActivationBytes(int rowsMax, int widthMax) => PanelActivations.ByteCount(rowsMax, widthMax, quantized: false);

    public override Activations CreateActivations(int rowsMax, int widthMax) => new PanelActivations(rowsMax, widthMax, quantized: false);
}
