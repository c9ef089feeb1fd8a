using System.Buffers.Binary;

namespace Serving.Engine.Formats.Blocks;

/// <summary>The 4-bit formats whose nibbles are indices of a table. Nibbles lie as in <see cref="LegacyBlocks"/>.</summary>
internal static class CodebookBlocks
{
    private const int PartElements = 32;

    /// <summary>The table of IQ4_NL and IQ4_XS.</summary>
    public static ReadOnlySpan<sbyte> NonLinear => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    /// <summary>The values of FP4 (E2M1), doubled to be whole (OCP Microscaling Formats, v1.0, table 5).</summary>
    public static ReadOnlySpan<sbyte> DoubledE2M1 => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    /// <summary><c>f16 d; u8 q[16]</c>.</summary>
    public static void DecodeIQ4_NL(ReadOnlySpan<byte> block, Span<float> y) =>
        LookUp(NonLinear, LegacyBlocks.ReadHalf(block), block[2..], y);

    /// <summary><c>f16 d; u16 high; u8 low[4]; u8 q[128]</c>: eight parts of 32, each with a 6-bit scale less 32.</summary>
    public static void DecodeIQ4_XS(ReadOnlySpan<byte> block, Span<float> y)
    {
        float blockScale = LegacyBlocks.ReadHalf(block);
        for (int part = 0; part < y.Length / PartElements; part++)
        {
            LookUp(NonLinear, blockScale * ReadXsScale(block, part), XsNibbles(block, part), y.Slice(part * PartElements, PartElements));
        }
    }

    /// <summary><c>u8 exponent; u8 q[16]</c>: 2^(exponent − 127) · E2M1.</summary>
    public static void DecodeMxfp4(ReadOnlySpan<byte> block, Span<float> y) => LookUp(DoubledE2M1, ReadMxfp4Scale(block), block[1..], y);

    /// <summary>What <see cref="DoubledE2M1"/> is multiplied with: half of the power, since the table is doubled.</summary>
    public static float ReadMxfp4Scale(ReadOnlySpan<byte> block)
    {
        // The two smallest are subnormal floats.
        int exponent = block[0];
        return BitConverter.Int32BitsToSingle(exponent < 2 ? 0x0020_0000 << exponent : (exponent - 1) << 23);
    }

    /// <summary>The scale of a part of an IQ4_XS block.</summary>
    public static sbyte ReadXsScale(ReadOnlySpan<byte> block, int part)
    {
        int high = BinaryPrimitives.ReadUInt16LittleEndian(block[2..]);
        return (sbyte)(((block[4 + (part / 2)] >> (part % 2 * 4) & 15) | ((high >> (2 * part) & 3) << 4)) - 32);
    }

    /// <summary>The nibbles of a part of an IQ4_XS block.</summary>
    public static ReadOnlySpan<byte> XsNibbles(ReadOnlySpan<byte> block, int part) => block.Slice(8 + (part * 16), 16);

    private static void LookUp(ReadOnlySpan<sbyte> table, float scale, ReadOnlySpan<byte> nibbles, Span<float> y)
    {
        Span<byte> indices = stackalloc byte[PartElements];
        LegacyBlocks.ReadNibbles(nibbles, indices);
        for (int j = 0; j < PartElements; j++)
        {
            y[j] = scale * table[indices[j]];
        }
    }
}
