using Serving.Engine.Formats;

namespace Serving.Engine.Kernels;

/// <summary>Panels of 16 outputs, the last filled up with zero weights; what a panel looks like inside is each form's own.</summary>
internal abstract unsafe class PanelForm : PackedForm
{
    /// <summary>Bytes of one panel.</summary>
    public abstract long PanelBytes(int inputs);

    /// <summary>Writes a row of the raw matrix into its lane of a panel.</summary>
    public abstract void PackRow(ReadOnlySpan<byte> row, byte* panel, int lane);

    /// <summary>The weights of one lane, as <c>BlockDecoder</c> gives them.</summary>
    public abstract void UnpackRow(byte* panel, int lane, Span<float> destination);

    public static int PanelCount(int outputs) => (outputs + PanelProduct.PanelOutputs - 1) / PanelProduct.PanelOutputs;

    public sealed override long BytesOf(in RawTensor weights, int outputs) => PanelCount(outputs) * PanelBytes(weights.Inputs);

    public sealed override void Pack(in RawTensor weights, int first, int outputs, byte* destination)
    {
        long panelBytes = PanelBytes(weights.Inputs);
        for (int i = 0; i < outputs; i++)
        {
            PackRow(weights.Row(first + i), destination + (i / PanelProduct.PanelOutputs * panelBytes), i % PanelProduct.PanelOutputs);
        }
    }
}
