using Serving.Engine.Formats;

namespace Serving.Engine.Kernels;

/// <summary>A matrix in Q4_0, Q4_1 or Q8_0, its quants and scales repacked unchanged, that multiplies int8 activations.</summary>
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
            weights.Type == GgmlType.Q8_0 ? kernels.Byte : kernels.Nibble,
            $"{Fp32Matrix.Name(weights.Type)}·int8/{kernels.Name}")
    {
    }

    /// <summary>Whether a format has a kernel of its own in the int8 class.</summary>
    public static bool Supports(GgmlType type) => type is GgmlType.Q4_0 or GgmlType.Q4_1 or GgmlType.Q8_0;

    public static PanelForm Form(GgmlType type) => type switch
    {
        GgmlType.Q4_0 => NibblePanels.Q4_0,
        GgmlType.Q4_1 => NibblePanels.Q4_1,
        GgmlType.Q8_0 => BytePanels.Instance,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "The int8 class has no kernel for that format."),
    };

    protected override byte* Source(Activations x, int rows, out long strideBytes) =>
        ((PanelActivations)x).Quantized(rows, Inputs, out strideBytes);
}
