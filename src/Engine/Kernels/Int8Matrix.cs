using Serving.Engine.Formats;

namespace Serving.Engine.Kernels;

/// <summary>A matrix in Q4_0, Q4_1 or Q8_0, its quants and scales repacked unchanged, that multiplies int8 activations.</summary>
internal sealed unsafe class Int8Matrix : PanelMatrix
{
    private readonly bool _isNibble;

    public Int8Matrix(in RawTensor weights, KernelSet kernels)
        : base(
            weights.Outputs,
            weights.Inputs,
            PanelBytes(in weights),
            weights.Type == GgmlType.Q8_0 ? kernels.Byte : kernels.Nibble,
            $"{Fp32Matrix.Name(weights.Type)}·int8/{kernels.Name}")
    {
        _isNibble = weights.Type != GgmlType.Q8_0;
        for (int output = 0; output < weights.Outputs; output++)
        {
            if (_isNibble)
            {
                NibblePanels.PackRow(weights.Type, weights.Row(output), PanelOf(output), output % PanelProduct.PanelOutputs);
            }
            else
            {
                BytePanels.PackRow(weights.Row(output), PanelOf(output), output % PanelProduct.PanelOutputs);
            }
        }
    }

    public static long PackedBytes(in RawTensor weights) => BytesOf(weights.Outputs, PanelBytes(in weights));

    /// <summary>Whether a format has a kernel of its own in the int8 class.</summary>
    public static bool Supports(GgmlType type) => type is GgmlType.Q4_0 or GgmlType.Q4_1 or GgmlType.Q8_0;

    protected override byte* Source(Activations x, int rows, out long strideBytes) =>
        ((PanelActivations)x).Quantized(rows, Inputs, out strideBytes);

    protected override void UnpackRow(byte* panel, int lane, Span<float> destination)
    {
        if (_isNibble)
        {
            NibblePanels.UnpackRow(panel, lane, destination);
        }
        else
        {
            BytePanels.UnpackRow(panel, lane, destination);
        }
    }

    private static long BlockBytes(GgmlType type) =>
        type == GgmlType.Q8_0 ? BytePanels.BlockBytes + BytePanels.BlockScaleBytes : NibblePanels.BlockBytes;

    private static long PanelBytes(in RawTensor weights) => weights.Inputs / QuantizedRow.BlockInputs * (long)BlockBytes(weights.Type);
}
