namespace Serving.Engine.Formats.Blocks;

/// <summary>The 2- and 3-bit formats of 256 elements: halves of 128, in each 32 bytes that hold four parts of 32 elements, two bits apart.</summary>
internal static class SmallKBlocks
{
    /// <summary><c>u8 scales[16]; u8 q[64]; f16 d, dmin</c>: a 4-bit scale (low) and minimum (high) per 16.</summary>
    public static void DecodeQ2_K(ReadOnlySpan<byte> block, Span<float> y)
    {
        float blockScale = LegacyBlocks.ReadHalf(block[80..]);
        float blockMinimum = LegacyBlocks.ReadHalf(block[82..]);
        for (int i = 0; i < y.Length; i++)
        {
            int packed = block[i / 16];
            y[i] = (blockScale * (packed & 15) * Quant(block[16..], i)) - (blockMinimum * (packed >> 4));
        }
    }

    /// <summary><c>u8 high[32]; u8 q[64]; u8 scales[12]; f16 d</c>: d · (scale − 32) · (q − 4), bit <c>i / 32</c> of <c>high</c> being the third bit.</summary>
    public static void DecodeQ3_K(ReadOnlySpan<byte> block, Span<float> y)
    {
        float blockScale = LegacyBlocks.ReadHalf(block[108..]);
        ReadOnlySpan<byte> scales = block.Slice(96, 12);
        for (int i = 0; i < y.Length; i++)
        {
            // Sixteen 6-bit scales: the low four bits in bytes 0–7 (nibbles), the high two in bytes 8–11.
            int part = i / 16;
            int low = part < 8 ? scales[part] & 15 : scales[part - 8] >> 4;
            int scale = (low | ((scales[8 + (part % 4)] >> (part / 4 * 2) & 3) << 4)) - 32;
            int quant = Quant(block[32..], i) | ((block[i % 32] >> (i / 32) & 1) << 2);
            y[i] = blockScale * scale * (quant - 4);
        }
    }

    private static int Quant(ReadOnlySpan<byte> packed, int i) => packed[(i / 128 * 32) + (i % 32)] >> (i % 128 / 32 * 2) & 3;
}
