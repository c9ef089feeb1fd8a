using Serving.Engine.Formats;
using Serving.Engine.Kernels.Panels;

namespace Serving.Engine.Kernels;

/// <summary>A matrix in a format of blocks, its quants and scales repacked unchanged, that multiplies int8 activations.</summary>
internal sealed unsafe class Int8Matrix : PanelMatrix
{
    public Int8Matrix(in RawTensor weights, KernelSet kernels)
        : this(in weights, PackedMemory.Pack(in weights, Form(weights.Type)), kernels)
    {
    }

    public Int8Matrix(in RawTensor weights, PackedMemory memory, KernelSet kernels)
        : base(
            in weights,
            Form(weights.Type),
            memory,
            kernels.Of(weights.Type),
            $"{Fp32Matrix.Name(weights.Type)}·int8/{kernels.Name}")
    {
    }

    public static PanelForm Form(GgmlType type) => type switch
    {
        GgmlType.Q4_0 => NibblePanels.Q4_0,
        GgmlType.Q4_1 => NibblePanels.Q4_1,
        GgmlType.Q8_0 => BytePanels.Instance,
        _ => BlockPanels.Of(type),
    };

    protected override byte* Source(Activations x, int rows, out long strideBytes) =>
        ((PanelActivations)x).Quantized(rows, Inputs, out strideBytes);
}
