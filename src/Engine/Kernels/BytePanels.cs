using System.Buffers.Binary;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Kernels;

/// <summary>Repacks Q8_0 into the panels that <see cref="ByteKernel{TSimd, TRegister}"/> reads.</summary>
internal sealed unsafe class BytePanels : PanelForm
{
    public static readonly BytePanels Instance = new();

    /// <summary>Four inputs of 16 outputs.</summary>
    public const int QuadBytes = 64;

    /// <summary>The weights of a block; its scales lie behind the last block's weights.</summary>
    public const int BlockBytes = 8 * QuadBytes;

    public const int BlockScaleBytes = PanelProduct.PanelOutputs * sizeof(ushort);

    private const int SourceBytes = 34;

    private BytePanels()
    {
    }

    public override string Name => "byte-panels-1";

    public override long PanelBytes(int inputs) => inputs / QuantizedRow.BlockInputs * (long)(BlockBytes + BlockScaleBytes);

    public override void PackRow(ReadOnlySpan<byte> row, byte* panel, int lane)
    {
        int blocks = row.Length / SourceBytes;
        ushort* scales = (ushort*)(panel + ((long)blocks * BlockBytes));
        for (int block = 0; block < blocks; block++, row = row[SourceBytes..], panel += BlockBytes, scales += PanelProduct.PanelOutputs)
        {
            scales[lane] = BinaryPrimitives.ReadUInt16LittleEndian(row);
            for (int i = 0; i < QuantizedRow.BlockInputs; i++)
            {
                panel[(i / 4 * QuadBytes) + (lane * 4) + (i % 4)] = row[2 + i];
            }
        }
    }

    public override void UnpackRow(byte* panel, int lane, Span<float> destination)
    {
        int blocks = destination.Length / QuantizedRow.BlockInputs;
        ushort* scales = (ushort*)(panel + ((long)blocks * BlockBytes));
        for (int block = 0; block < blocks; block++, panel += BlockBytes, scales += PanelProduct.PanelOutputs)
        {
            float scale = HalfBits.ToSingle(scales[lane]);
            for (int i = 0; i < QuantizedRow.BlockInputs; i++)
            {
                destination[(block * QuantizedRow.BlockInputs) + i] = scale * (sbyte)panel[(i / 4 * QuadBytes) + (lane * 4) + (i % 4)];
            }
        }
    }
}
