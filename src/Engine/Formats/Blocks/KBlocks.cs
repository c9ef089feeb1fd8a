namespace Serving.Engine.Formats.Blocks;

/// <summary>The 4- to 6-bit formats of 256 elements with a scale, and in Q4_K and Q5_K a minimum, for every 16 or 32.</summary>
internal static class KBlocks
{
    private const int PartElements = 32;

    private delegate void QuantReader(ReadOnlySpan<byte> block, int part, Span<byte> quants);

    /// <summary><c>f16 d, dmin; u8 scales[12]; u8 q[128]</c>: 32 bytes hold 64 elements, the low nibbles the first 32.</summary>
    public static void DecodeQ4_K(ReadOnlySpan<byte> block, Span<float> y) => Decode(block, ReadQ4_K, y);

    /// <summary><c>f16 d, dmin; u8 scales[12]; u8 high[32]; u8 q[128]</c>: as Q4_K, bit <c>part</c> of <c>high[l]</c> being the fifth bit.</summary>
    public static void DecodeQ5_K(ReadOnlySpan<byte> block, Span<float> y) => Decode(block, ReadQ5_K, y);

    /// <summary><c>u8 low[128]; u8 high[64]; i8 scales[16]; f16 d</c>: d · scale · (q − 32), halves of 128 elements.</summary>
    public static void DecodeQ6_K(ReadOnlySpan<byte> block, Span<float> y)
    {
        float blockScale = ReadQ6Scale(block);
        Span<byte> quants = stackalloc byte[PartElements];
        for (int i = 0; i < y.Length; i++)
        {
            if (i % PartElements == 0)
            {
                ReadQ6_K(block, i / PartElements, quants);
            }

            y[i] = blockScale * ReadQ6Scale(block, i / 16) * (quants[i % PartElements] - 32);
        }
    }

    /// <summary>The quants of the 32 elements of a part.</summary>
    public static void ReadQ4_K(ReadOnlySpan<byte> block, int part, Span<byte> quants) => ReadNibbles(block[16..], part, quants);

    /// <summary>The quants of the 32 elements of a part.</summary>
    public static void ReadQ5_K(ReadOnlySpan<byte> block, int part, Span<byte> quants)
    {
        ReadOnlySpan<byte> high = block.Slice(16, PartElements);
        ReadNibbles(block[48..], part, quants);
        for (int l = 0; l < PartElements; l++)
        {
            quants[l] |= (byte)((high[l] >> part & 1) << 4);
        }
    }

    /// <summary>The quants of the 32 elements of a part.</summary>
    public static void ReadQ6_K(ReadOnlySpan<byte> block, int part, Span<byte> quants)
    {
        // In each half of 128, parts 0 and 1 are low nibbles of 32 bytes each, parts 2 and 3 the high ones of the same bytes.
        int quarter = part % 4;
        ReadOnlySpan<byte> low = block.Slice((part / 4 * 64) + (quarter % 2 * PartElements), PartElements);
        ReadOnlySpan<byte> high = block.Slice(128 + (part / 4 * PartElements), PartElements);
        for (int l = 0; l < PartElements; l++)
        {
            quants[l] = (byte)((low[l] >> (quarter / 2 * 4) & 15) | ((high[l] >> (2 * quarter) & 3) << 4));
        }
    }

    /// <summary>The scale of a whole Q6_K block.</summary>
    public static float ReadQ6Scale(ReadOnlySpan<byte> block) => LegacyBlocks.ReadHalf(block[208..]);

    /// <summary>The scale of 16 elements of a Q6_K block.</summary>
    public static sbyte ReadQ6Scale(ReadOnlySpan<byte> block, int sixteenth) => (sbyte)block[192 + sixteenth];

    /// <summary>The 6-bit scale and minimum of 32 elements of Q4_K and Q5_K: 4 of each lie whole in the low bits, the other 4 are split.</summary>
    public static (byte Scale, byte Minimum) ReadScale(ReadOnlySpan<byte> block, int part)
    {
        ReadOnlySpan<byte> packed = block.Slice(4, 12);
        int scale = part < 4 ? packed[part] & 63 : (packed[part + 4] & 15) | (packed[part - 4] >> 6 << 4);
        int minimum = part < 4 ? packed[part + 4] & 63 : (packed[part + 4] >> 4) | (packed[part] >> 6 << 4);
        return ((byte)scale, (byte)minimum);
    }

    private static void Decode(ReadOnlySpan<byte> block, QuantReader read, Span<float> y)
    {
        float blockScale = LegacyBlocks.ReadHalf(block);
        float blockMinimum = LegacyBlocks.ReadHalf(block[2..]);
        Span<byte> quants = stackalloc byte[PartElements];
        for (int part = 0; part < y.Length / PartElements; part++)
        {
            (byte scale, byte minimum) = ReadScale(block, part);
            read(block, part, quants);
            for (int l = 0; l < PartElements; l++)
            {
                y[(part * PartElements) + l] = (blockScale * scale * quants[l]) - (blockMinimum * minimum);
            }
        }
    }

    private static void ReadNibbles(ReadOnlySpan<byte> nibbles, int part, Span<byte> quants)
    {
        ReadOnlySpan<byte> source = nibbles.Slice(part / 2 * PartElements, PartElements);
        for (int l = 0; l < PartElements; l++)
        {
            quants[l] = (byte)(source[l] >> (part % 2 * 4) & 15);
        }
    }
}
