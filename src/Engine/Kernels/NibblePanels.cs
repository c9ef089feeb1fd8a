using System.Buffers.Binary;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Kernels;

/// <summary>Repacks Q4_0 and Q4_1 into the panels that <see cref="NibbleKernel{TSimd, TRegister}"/> reads. Q4_0 is Q4_1 with the minimum −8 · scale.</summary>
internal sealed unsafe class NibblePanels : PanelForm
{
    public static readonly NibblePanels Q4_0 = new(GgmlType.Q4_0);

    public static readonly NibblePanels Q4_1 = new(GgmlType.Q4_1);

    /// <summary>Four inputs of 16 outputs in the low nibbles, the next four in the high ones.</summary>
    public const int QuadPairBytes = 64;

    public const int ScalesOffset = 4 * QuadPairBytes;

    public const int BlockBytes = ScalesOffset + (2 * PanelProduct.PanelOutputs * sizeof(ushort));

    private readonly GgmlType _type;

    private NibblePanels(GgmlType type) => _type = type;

    public override string Name => "nibble-panels-1";

    public override long PanelBytes(int inputs) => inputs / QuantizedRow.BlockInputs * (long)BlockBytes;

    public override void PackRow(ReadOnlySpan<byte> row, byte* panel, int lane)
    {
        int sourceBytes = _type == GgmlType.Q4_0 ? 18 : 20;
        Span<byte> values = stackalloc byte[QuantizedRow.BlockInputs];
        for (; !row.IsEmpty; row = row[sourceBytes..], panel += BlockBytes)
        {
            ReadOnlySpan<byte> nibbles = row[(sourceBytes - 16)..];
            for (int j = 0; j < 16; j++)
            {
                values[j] = (byte)(nibbles[j] & 15);
                values[j + 16] = (byte)(nibbles[j] >> 4);
            }

            for (int i = 0; i < 16; i++)
            {
                // Input 8p + k (k < 4) goes below, input 8p + 4 + k above.
                int input = (i / 4 * 8) + (i % 4);
                panel[(i / 4 * QuadPairBytes) + (lane * 4) + (i % 4)] = (byte)(values[input] | (values[input + 4] << 4));
            }

            ushort* scales = (ushort*)(panel + ScalesOffset);
            ushort scale = BinaryPrimitives.ReadUInt16LittleEndian(row);
            scales[lane] = scale;
            scales[lane + PanelProduct.PanelOutputs] = _type == GgmlType.Q4_1
                ? BinaryPrimitives.ReadUInt16LittleEndian(row[2..])
                : BitConverter.HalfToUInt16Bits((Half)(-8f * (float)BitConverter.UInt16BitsToHalf(scale)));
        }
    }

    public override void UnpackRow(byte* panel, int lane, Span<float> destination)
    {
        for (; !destination.IsEmpty; destination = destination[QuantizedRow.BlockInputs..], panel += BlockBytes)
        {
            ushort* scales = (ushort*)(panel + ScalesOffset);
            float scale = HalfBits.ToSingle(scales[lane]);
            float minimum = HalfBits.ToSingle(scales[lane + PanelProduct.PanelOutputs]);
            for (int i = 0; i < 16; i++)
            {
                int input = (i / 4 * 8) + (i % 4);
                byte packed = panel[(i / 4 * QuadPairBytes) + (lane * 4) + (i % 4)];
                destination[input] = ((packed & 15) * scale) + minimum;
                destination[input + 4] = ((packed >> 4) * scale) + minimum;
            }
        }
    }
}
