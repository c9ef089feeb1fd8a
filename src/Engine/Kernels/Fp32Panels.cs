using System.Buffers;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Kernels;

/// <summary>Panels of dequantised weights: an input's 16 outputs side by side.</summary>
internal sealed unsafe class Fp32Panels(GgmlType type) : PanelForm
{
    public override string Name => "fp32-panels-1";

    public override long PanelBytes(int inputs) => (long)inputs * PanelProduct.PanelOutputs * sizeof(float);

    public override void PackRow(ReadOnlySpan<byte> row, byte* panel, int lane)
    {
        int inputs = row.Length / BlockDecoder.BlockBytes(type) * BlockDecoder.BlockElements(type);
        float[] values = ArrayPool<float>.Shared.Rent(inputs);
        BlockDecoder.Decode(type, row, values.AsSpan(0, inputs));
        float* first = (float*)panel + lane;
        for (int i = 0; i < inputs; i++)
        {
            first[(long)i * PanelProduct.PanelOutputs] = values[i];
        }

        ArrayPool<float>.Shared.Return(values);
    }

    public override void UnpackRow(byte* panel, int lane, Span<float> destination)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = ((float*)panel)[((long)i * PanelProduct.PanelOutputs) + lane];
        }
    }
}
