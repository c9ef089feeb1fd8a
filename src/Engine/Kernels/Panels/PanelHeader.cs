namespace Serving.Engine.Kernels.Panels;

/// <summary>
/// How the scales of a group of blocks are written into a panel and read back, one output at a time; the kernels read 16 at once. A group holds what one block
/// of the file's format does.
/// </summary>
internal abstract unsafe class PanelHeader
{
    /// <summary>Outputs, which every field of a header has one after the other.</summary>
    protected const int Outputs = PanelProduct.PanelOutputs;

    /// <summary>Blocks of 32 inputs in a group.</summary>
    public abstract int GroupBlocks { get; }

    public abstract int ByteCount { get; }

    /// <summary>Writes an output's scales.</summary>
    /// <param name="block">A block of the file's format.</param>
    public abstract void Write(ReadOnlySpan<byte> block, byte* header, int lane);

    /// <summary>What the quants of a half, 16 inputs, are multiplied with and what is added then.</summary>
    /// <param name="index">The block in the group.</param>
    /// <param name="half">0 or 1.</param>
    public abstract (float Scale, float Minimum) Read(byte* header, int index, int half, int lane);
}
