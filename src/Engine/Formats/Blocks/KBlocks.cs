namespace Serving.Engine.Formats.Blocks;

/// <summary>The 4- to 6-bit formats of 256 elements with a scale, and in Q4_K and Q5_K a minimum, for every 16 or 32.</summary>
internal static class KBlocks
{
    /// <summary><c>f16 d, dmin; u8 scales[12]; u8 q[128]</c>: 32 bytes hold 64 elements, the low nibbles the first 32.</summary>
    public static void DecodeQ4_K(ReadOnlySpan<byte> block, Span<float> y)
    {
        ReadOnlySpan<byte> nibbles = block[16..];
        for (int part = 0; part < 8; part++)
        {
            (float scale, float minimum) = ReadScale(block, part);
            ReadOnlySpan<byte> source = nibbles.Slice(part / 2 * 32, 32);
            int shift = part % 2 * 4;
            for (int l = 0; l < 32; l++)
            {
                y[(part * 32) + l] = (scale * (source[l] >> shift & 15)) - minimum;
            }
        }
    }

    /// <summary><c>f16 d, dmin; u8 scales[12]; u8 high[32]; u8 q[128]</c>: as Q4_K, bit <c>part</c> of <c>high[l]</c> being the fifth bit.</summary>
    public static void DecodeQ5_K(ReadOnlySpan<byte> block, Span<float> y)
    {
        ReadOnlySpan<byte> high = block.Slice(16, 32);
        ReadOnlySpan<byte> nibbles = block[48..];
        for (int part = 0; part < 8; part++)
        {
            (float scale, float minimum) = ReadScale(block, part);
            ReadOnlySpan<byte> source = nibbles.Slice(part / 2 * 32, 32);
            int shift = part % 2 * 4;
            for (int l = 0; l < 32; l++)
            {
                int quant = (source[l] >> shift & 15) | ((high[l] >> part & 1) << 4);
                y[(part * 32) + l] = (scale * quant) - minimum;
            }
        }
    }

    /// <summary><c>u8 low[128]; u8 high[64]; i8 scales[16]; f16 d</c>: d · scale · (q − 32), halves of 128 elements.</summary>
    public static void DecodeQ6_K(ReadOnlySpan<byte> block, Span<float> y)
    {
        float blockScale = LegacyBlocks.ReadHalf(block[208..]);
        for (int part = 0; part < 8; part++)
        {
            // In each half of 128, parts 0 and 1 are low nibbles of 32 bytes each, parts 2 and 3 the high ones of the same bytes.
            int quarter = part % 4;
            ReadOnlySpan<byte> low = block.Slice((part / 4 * 64) + (quarter % 2 * 32), 32);
            ReadOnlySpan<byte> high = block.Slice(128 + (part / 4 * 32), 32);
            for (int l = 0; l < 32; l++)
            {
                int quant = (low[l] >> (quarter / 2 * 4) & 15) | ((high[l] >> (2 * quarter) & 3) << 4);
                float scale = blockScale * (sbyte)block[192 + (part * 2) + (l / 16)];
                y[(part * 32) + l] = scale * (quant - 32);
            }
        }
    }

    /// <summary>Unpacks the 6-bit scale and minimum of 32 elements: 4 of each lie whole in the low bits, the other 4 are split.</summary>
    private static (float Scale, float Minimum) ReadScale(ReadOnlySpan<byte> block, int part)
    {
        ReadOnlySpan<byte> packed = block.Slice(4, 12);
        int scale = part < 4 ? packed[part] & 63 : (packed[part + 4] & 15) | (packed[part - 4] >> 6 << 4);
        int minimum = part < 4 ? packed[part + 4] & 63 : (packed[part + 4] >> 4) | (packed[part] >> 6 << 4);
        return (LegacyBlocks.ReadHalf(block) * scale, LegacyBlocks.ReadHalf(block[2..]) * minimum);
    }
}
