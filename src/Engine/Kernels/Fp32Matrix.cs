using Serving.Engine.Formats;

namespace Serving.Engine.Kernels;

/// <summary>A matrix of any format, dequantised to fp32: for blocks. Plain floats are used as they lie (<see cref="MappedMatrix"/>).</summary>
internal sealed unsafe class Fp32Matrix : PanelMatrix
{
    public Fp32Matrix(in RawTensor weights, KernelSet kernels)
        : this(in weights, PackedMemory.Pack(in weights, Form(weights.Type)), kernels)
    {
    }

    public Fp32Matrix(in RawTensor weights, PackedMemory memory, KernelSet kernels)
        : base(in weights, Form(weights.Type), memory, kernels.Fp32, $"{Name(weights.Type)}·fp32/{kernels.Name}")
    {
    }

    public static PanelForm Form(GgmlType type) => new Fp32Panels(type);

    /// <summary>A format's name as KernelName spells it.</summary>
    public static string Name(GgmlType type) => type.ToString().ToLowerInvariant();

    protected override byte* Source(Activations x, int rows, out long strideBytes) =>
        ((PanelActivations)x).Floats(rows, Inputs, out strideBytes);
}
