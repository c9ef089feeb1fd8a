using System.Buffers.Binary;

namespace Serving.Engine.Formats.Blocks;

/// <summary>
/// The formats with one scale per 32 elements, rounded as ggml's reference does: the symmetric ones give the element of the largest magnitude the lowest level, which
/// reaches one step further than the highest; the others lay the levels between minimum and maximum. Layouts: <see cref="LegacyBlocks"/>.
/// </summary>
internal static class LegacyBlockEncoder
{
    private const int HalfBlock = 16;

    public static void EncodeQ4_0(ReadOnlySpan<float> x, Span<byte> block)
    {
        Span<byte> levels = stackalloc byte[2 * HalfBlock];
        float scale = SymmetricLevels(x, levels, levelCount: 16);
        WriteHalf(block, scale);
        PackNibbles(levels, block[2..]);
    }

    public static void EncodeQ4_1(ReadOnlySpan<float> x, Span<byte> block)
    {
        Span<byte> levels = stackalloc byte[2 * HalfBlock];
        (float scale, float minimum) = RangeLevels(x, levels, levelMax: 15);
        WriteHalf(block, scale);
        WriteHalf(block[2..], minimum);
        PackNibbles(levels, block[4..]);
    }

    public static void EncodeQ5_0(ReadOnlySpan<float> x, Span<byte> block)
    {
        Span<byte> levels = stackalloc byte[2 * HalfBlock];
        float scale = SymmetricLevels(x, levels, levelCount: 32);
        WriteHalf(block, scale);
        BinaryPrimitives.WriteUInt32LittleEndian(block[2..], FifthBits(levels));
        PackNibbles(levels, block[6..]);
    }

    public static void EncodeQ5_1(ReadOnlySpan<float> x, Span<byte> block)
    {
        Span<byte> levels = stackalloc byte[2 * HalfBlock];
        (float scale, float minimum) = RangeLevels(x, levels, levelMax: 31);
        WriteHalf(block, scale);
        WriteHalf(block[2..], minimum);
        BinaryPrimitives.WriteUInt32LittleEndian(block[4..], FifthBits(levels));
        PackNibbles(levels, block[8..]);
    }

    public static void EncodeQ8_0(ReadOnlySpan<float> x, Span<byte> block)
    {
        float largest = 0;
        foreach (float value in x)
        {
            largest = MathF.Max(largest, MathF.Abs(value));
        }

        float scale = largest / 127;
        float inverse = Inverse(scale);
        WriteHalf(block, scale);
        for (int j = 0; j < x.Length; j++)
        {
            int level = (int)MathF.Round(x[j] * inverse, MidpointRounding.AwayFromZero);
            block[2 + j] = (byte)(sbyte)Math.Clamp(level, -127, 127);
        }
    }

    public static void WriteHalf(Span<byte> destination, float value) => BinaryPrimitives.WriteHalfLittleEndian(destination, (Half)value);

    /// <summary>1/<paramref name="scale"/>; 0 for a scale so small that its inverse is infinite, whose elements all become 0.</summary>
    public static float Inverse(float scale)
    {
        float inverse = 1 / scale;
        return float.IsFinite(inverse) ? inverse : 0;
    }

    private static float SymmetricLevels(ReadOnlySpan<float> x, Span<byte> levels, int levelCount)
    {
        float extreme = 0;
        foreach (float value in x)
        {
            extreme = MathF.Abs(value) > MathF.Abs(extreme) ? value : extreme;
        }

        int zero = levelCount / 2;
        float scale = extreme / -zero;
        float inverse = Inverse(scale);
        for (int j = 0; j < x.Length; j++)
        {
            levels[j] = (byte)Math.Clamp((int)((x[j] * inverse) + zero + 0.5f), 0, levelCount - 1);
        }

        return scale;
    }

    private static (float Scale, float Minimum) RangeLevels(ReadOnlySpan<float> x, Span<byte> levels, int levelMax)
    {
        float minimum = float.MaxValue;
        float maximum = float.MinValue;
        foreach (float value in x)
        {
            minimum = MathF.Min(minimum, value);
            maximum = MathF.Max(maximum, value);
        }

        float scale = (maximum - minimum) / levelMax;
        float inverse = Inverse(scale);
        for (int j = 0; j < x.Length; j++)
        {
            levels[j] = (byte)Math.Min((int)(((x[j] - minimum) * inverse) + 0.5f), levelMax);
        }

        return (scale, minimum);
    }

    private static void PackNibbles(ReadOnlySpan<byte> levels, Span<byte> nibbles)
    {
        for (int j = 0; j < HalfBlock; j++)
        {
            nibbles[j] = (byte)((levels[j] & 15) | ((levels[j + HalfBlock] & 15) << 4));
        }
    }

    private static uint FifthBits(ReadOnlySpan<byte> levels)
    {
        uint bits = 0;
        for (int j = 0; j < levels.Length; j++)
        {
            bits |= (uint)(levels[j] >> 4) << j;
        }

        return bits;
    }
}
