using System.Buffers.Binary;

namespace Serving.Engine.Formats.Blocks;

/// <summary>The 4-bit formats whose nibbles are indices of a table. Nibbles lie as in <see cref="LegacyBlocks"/>.</summary>
internal static class CodebookBlocks
{
    private static ReadOnlySpan<sbyte> NonLinear => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    /// <summary>The values of FP4 (E2M1), doubled to be whole (OCP Microscaling Formats, v1.0, table 5).</summary>
    private static ReadOnlySpan<sbyte> DoubledE2M1 => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    /// <summary><c>f16 d; u8 q[16]</c>.</summary>
    public static void DecodeIQ4_NL(ReadOnlySpan<byte> block, Span<float> y) =>
        LookUp(NonLinear, LegacyBlocks.ReadHalf(block), block[2..], y);

    /// <summary><c>f16 d; u16 high; u8 low[4]; u8 q[128]</c>: eight parts of 32, each with a 6-bit scale less 32.</summary>
    public static void DecodeIQ4_XS(ReadOnlySpan<byte> block, Span<float> y)
    {
        float blockScale = LegacyBlocks.ReadHalf(block);
        int high = BinaryPrimitives.ReadUInt16LittleEndian(block[2..]);
        for (int part = 0; part < 8; part++)
        {
            int scale = (block[4 + (part / 2)] >> (part % 2 * 4) & 15) | ((high >> (2 * part) & 3) << 4);
            LookUp(NonLinear, blockScale * (scale - 32), block.Slice(8 + (part * 16), 16), y.Slice(part * 32, 32));
        }
    }

    /// <summary><c>u8 exponent; u8 q[16]</c>: 2^(exponent − 127) · E2M1.</summary>
    public static void DecodeMxfp4(ReadOnlySpan<byte> block, Span<float> y)
    {
        // Half of the power, since the table is doubled; the two smallest are subnormal floats.
        int exponent = block[0];
        int bits = exponent < 2 ? 0x0020_0000 << exponent : (exponent - 1) << 23;
        LookUp(DoubledE2M1, BitConverter.Int32BitsToSingle(bits), block[1..], y);
    }

    private static void LookUp(ReadOnlySpan<sbyte> table, float scale, ReadOnlySpan<byte> nibbles, Span<float> y)
    {
        for (int j = 0; j < 16; j++)
        {
            y[j] = scale * table[nibbles[j] & 15];
            y[j + 16] = scale * table[nibbles[j] >> 4];
        }
    }
}
