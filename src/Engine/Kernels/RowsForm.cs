using Serving.Engine.Formats;

namespace Serving.Engine.Kernels;

/// <summary>Rows as they are, one after the other: plain floats that lie in no file in the order in which a model uses them.</summary>
internal sealed unsafe class RowsForm : PackedForm
{
    public static readonly RowsForm Instance = new();

    private RowsForm()
    {
    }

    public override string Name => "rows-1";

    public override long BytesOf(in RawTensor weights, int outputs) => weights.ByteCount / weights.Outputs * outputs;

    public override void Pack(in RawTensor weights, int first, int outputs, byte* destination)
    {
        long bytes = BytesOf(in weights, outputs);
        Buffer.MemoryCopy((byte*)weights.Data + BytesOf(in weights, first), destination, bytes, bytes);
    }
}
