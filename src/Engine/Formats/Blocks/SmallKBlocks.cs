namespace Serving.Engine.Formats.Blocks;

/// <summary>The 2- and 3-bit formats of 256 elements: halves of 128, in each 32 bytes that hold four parts of 32 elements, two bits apart.</summary>
internal static class SmallKBlocks
{
    private const int PartElements = 32;

    /// <summary><c>u8 scales[16]; u8 q[64]; f16 d, dmin</c>: a 4-bit scale (low) and minimum (high) per 16.</summary>
    public static void DecodeQ2_K(ReadOnlySpan<byte> block, Span<float> y)
    {
        (float blockScale, float blockMinimum) = ReadQ2Scales(block);
        for (int i = 0; i < y.Length; i++)
        {
            int packed = block[i / 16];
            y[i] = (blockScale * (packed & 15) * Quant(block[16..], i)) - (blockMinimum * (packed >> 4));
        }
    }

    /// <summary><c>u8 high[32]; u8 q[64]; u8 scales[12]; f16 d</c>: d · (scale − 32) · (q − 4), bit <c>i / 32</c> of <c>high</c> being the third bit.</summary>
    public static void DecodeQ3_K(ReadOnlySpan<byte> block, Span<float> y)
    {
        float blockScale = ReadQ3Scale(block);
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = blockScale * ReadQ3Scale(block, i / 16) * (Q3Quant(block, i) - 4);
        }
    }

    /// <summary>The quants of the 32 elements of a part.</summary>
    public static void ReadQ2_K(ReadOnlySpan<byte> block, int part, Span<byte> quants)
    {
        for (int l = 0; l < PartElements; l++)
        {
            quants[l] = (byte)Quant(block[16..], (part * PartElements) + l);
        }
    }

    /// <summary>The quants of the 32 elements of a part.</summary>
    public static void ReadQ3_K(ReadOnlySpan<byte> block, int part, Span<byte> quants)
    {
        for (int l = 0; l < PartElements; l++)
        {
            quants[l] = (byte)Q3Quant(block, (part * PartElements) + l);
        }
    }

    /// <summary>Scale and minimum of a whole Q2_K block.</summary>
    public static (float Scale, float Minimum) ReadQ2Scales(ReadOnlySpan<byte> block) => (LegacyBlocks.ReadHalf(block[80..]), LegacyBlocks.ReadHalf(block[82..]));

    /// <summary>The scale of a whole Q3_K block.</summary>
    public static float ReadQ3Scale(ReadOnlySpan<byte> block) => LegacyBlocks.ReadHalf(block[108..]);

    /// <summary>The scale of 16 elements of a Q3_K block, one of sixteen 6-bit ones: the low four bits in bytes 0–7 (nibbles), the high two in bytes 8–11.</summary>
    public static sbyte ReadQ3Scale(ReadOnlySpan<byte> block, int sixteenth)
    {
        ReadOnlySpan<byte> scales = block.Slice(96, 12);
        int low = sixteenth < 8 ? scales[sixteenth] & 15 : scales[sixteenth - 8] >> 4;
        return (sbyte)((low | ((scales[8 + (sixteenth % 4)] >> (sixteenth / 4 * 2) & 3) << 4)) - 32);
    }

    private static int Q3Quant(ReadOnlySpan<byte> block, int i) => Quant(block[32..], i) | ((block[i % PartElements] >> (i / PartElements) & 1) << 2);

    private static int Quant(ReadOnlySpan<byte> packed, int i) => packed[(i / 128 * 32) + (i % 32)] >> (i % 128 / 32 * 2) & 3;
}
