using System.Buffers.Binary;

namespace Serving.Engine.Formats.Blocks;

/// <summary>The formats with one scale per 32 elements. Byte j of the nibbles holds element j below and element j + 16 above.</summary>
internal static class LegacyBlocks
{
    private const int HalfBlock = 16;

    /// <summary><c>f16 d; u8 q[16]</c>: d · (q − 8).</summary>
    public static void DecodeQ4_0(ReadOnlySpan<byte> block, Span<float> y)
    {
        float scale = ReadHalf(block);
        ReadOnlySpan<byte> nibbles = block[2..];
        for (int j = 0; j < HalfBlock; j++)
        {
            y[j] = ((nibbles[j] & 15) - 8) * scale;
            y[j + HalfBlock] = ((nibbles[j] >> 4) - 8) * scale;
        }
    }

    /// <summary><c>f16 d, m; u8 q[16]</c>: d · q + m.</summary>
    public static void DecodeQ4_1(ReadOnlySpan<byte> block, Span<float> y)
    {
        float scale = ReadHalf(block);
        float minimum = ReadHalf(block[2..]);
        ReadOnlySpan<byte> nibbles = block[4..];
        for (int j = 0; j < HalfBlock; j++)
        {
            y[j] = ((nibbles[j] & 15) * scale) + minimum;
            y[j + HalfBlock] = ((nibbles[j] >> 4) * scale) + minimum;
        }
    }

    /// <summary><c>f16 d; u32 high; u8 q[16]</c>: d · (q − 16), bit j of <c>high</c> being the fifth bit of element j.</summary>
    public static void DecodeQ5_0(ReadOnlySpan<byte> block, Span<float> y)
    {
        float scale = ReadHalf(block);
        Span<byte> quants = stackalloc byte[2 * HalfBlock];
        ReadFiveBits(block[2..], quants);
        for (int j = 0; j < quants.Length; j++)
        {
            y[j] = (quants[j] - 16) * scale;
        }
    }

    /// <summary><c>f16 d, m; u32 high; u8 q[16]</c>: d · q + m.</summary>
    public static void DecodeQ5_1(ReadOnlySpan<byte> block, Span<float> y)
    {
        float scale = ReadHalf(block);
        float minimum = ReadHalf(block[2..]);
        Span<byte> quants = stackalloc byte[2 * HalfBlock];
        ReadFiveBits(block[4..], quants);
        for (int j = 0; j < quants.Length; j++)
        {
            y[j] = (quants[j] * scale) + minimum;
        }
    }

    /// <summary><c>f16 d; i8 q[32]</c>: d · q.</summary>
    public static void DecodeQ8_0(ReadOnlySpan<byte> block, Span<float> y)
    {
        float scale = ReadHalf(block);
        for (int j = 0; j < y.Length; j++)
        {
            y[j] = (sbyte)block[2 + j] * scale;
        }
    }

    public static float ReadHalf(ReadOnlySpan<byte> source) => HalfBits.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(source));

    /// <summary>The 32 quants in 16 bytes of nibbles.</summary>
    public static void ReadNibbles(ReadOnlySpan<byte> nibbles, Span<byte> quants)
    {
        for (int j = 0; j < HalfBlock; j++)
        {
            quants[j] = (byte)(nibbles[j] & 15);
            quants[j + HalfBlock] = (byte)(nibbles[j] >> 4);
        }
    }

    /// <summary>The 32 quants of <c>u32 high; u8 q[16]</c>.</summary>
    public static void ReadFiveBits(ReadOnlySpan<byte> source, Span<byte> quants)
    {
        uint high = BinaryPrimitives.ReadUInt32LittleEndian(source);
        ReadNibbles(source[sizeof(uint)..], quants);
        for (int j = 0; j < 2 * HalfBlock; j++)
        {
            quants[j] |= (byte)((high >> j & 1) << 4);
        }
    }
}
