using System.Buffers;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Kernels;

/// <summary>A matrix of any format, dequantised to fp32: for blocks. Plain floats are used as they lie (<see cref="MappedMatrix"/>).</summary>
internal sealed unsafe class Fp32Matrix : PanelMatrix
{
    public Fp32Matrix(in RawTensor weights, KernelSet kernels)
        : base(
            weights.Outputs,
            weights.Inputs,
            PanelBytes(in weights),
            kernels.Fp32,
            $"{Name(weights.Type)}·fp32/{kernels.Name}")
    {
        float[] row = ArrayPool<float>.Shared.Rent(weights.Inputs);
        for (int output = 0; output < weights.Outputs; output++)
        {
            BlockDecoder.Decode(weights.Type, weights.Row(output), row.AsSpan(0, weights.Inputs));
            float* panel = (float*)PanelOf(output) + (output % PanelProduct.PanelOutputs);
            for (int i = 0; i < weights.Inputs; i++)
            {
                panel[(long)i * PanelProduct.PanelOutputs] = row[i];
            }
        }

        ArrayPool<float>.Shared.Return(row);
    }

    public static long PackedBytes(in RawTensor weights) => BytesOf(weights.Outputs, PanelBytes(in weights));

    /// <summary>A format's name as KernelName spells it.</summary>
    public static string Name(GgmlType type) => type.ToString().ToLowerInvariant();

    protected override byte* Source(Activations x, int rows, out long strideBytes) =>
        ((PanelActivations)x).Floats(rows, Inputs, out strideBytes);

    protected override void UnpackRow(byte* panel, int lane, Span<float> destination)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = ((float*)panel)[((long)i * PanelProduct.PanelOutputs) + lane];
        }
    }

    private static long PanelBytes(in RawTensor weights) => (long)weights.Inputs * PanelProduct.PanelOutputs * sizeof(float);
}
