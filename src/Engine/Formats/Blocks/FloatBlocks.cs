using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Serving.Engine.Formats.Blocks;

/// <summary>The formats without blocks: F32, F16 and BF16.</summary>
internal static class FloatBlocks
{
    public static void Decode(GgmlType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        if (type == GgmlType.F32)
        {
            source.CopyTo(MemoryMarshal.AsBytes(destination));
            return;
        }

        for (int i = 0; i < destination.Length; i++)
        {
            ushort bits = BinaryPrimitives.ReadUInt16LittleEndian(source[(2 * i)..]);
            destination[i] = type == GgmlType.BF16
                ? BitConverter.Int32BitsToSingle(bits << 16)
                : (float)BitConverter.UInt16BitsToHalf(bits);
        }
    }
}
