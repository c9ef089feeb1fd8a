namespace Serving.Engine.Formats.Blocks;

/// <summary>
/// The K formats: 256 elements in parts with a scale of their own, the scales themselves rounded to a fraction of the block's. Elements are rounded last, with the scales as
/// a reader will see them. Layouts: <see cref="KBlocks"/>.
/// </summary>
internal static class KBlockEncoder
{
    private const int Elements = 256;
    private const int AffineParts = 8;
    private const int AffinePartElements = Elements / AffineParts;
    private const int ScaleMax = 63;
    private const int SymmetricParts = 16;
    private const int SymmetricPartElements = Elements / SymmetricParts;

    public static void EncodeQ4_K(ReadOnlySpan<float> x, Span<byte> block)
    {
        Span<byte> levels = stackalloc byte[Elements];
        EncodeScales(x, levels, block, levelMax: 15);
        PackNibbles(levels, block[16..]);
    }

    public static void EncodeQ5_K(ReadOnlySpan<float> x, Span<byte> block)
    {
        Span<byte> levels = stackalloc byte[Elements];
        EncodeScales(x, levels, block, levelMax: 31);
        Span<byte> high = block.Slice(16, AffinePartElements);
        high.Clear();
        for (int i = 0; i < Elements; i++)
        {
            high[i % AffinePartElements] |= (byte)(levels[i] >> 4 << (i / AffinePartElements));
        }

        PackNibbles(levels, block[48..]);
    }

    public static void EncodeQ6_K(ReadOnlySpan<float> x, Span<byte> block)
    {
        Span<float> scales = stackalloc float[SymmetricParts];
        float extreme = 0;
        for (int part = 0; part < SymmetricParts; part++)
        {
            scales[part] = ScaleSearch.Symmetric(x.Slice(part * SymmetricPartElements, SymmetricPartElements), levelEnd: 32);
            extreme = MathF.Abs(scales[part]) > MathF.Abs(extreme) ? scales[part] : extreme;
        }

        LegacyBlockEncoder.WriteHalf(block[208..], extreme / -128);
        float blockScale = LegacyBlocks.ReadHalf(block[208..]);
        float inverse = LegacyBlockEncoder.Inverse(blockScale);
        block[..192].Clear();
        for (int part = 0; part < SymmetricParts; part++)
        {
            int scale = (int)Math.Clamp(MathF.Round(scales[part] * inverse), -128, 127);
            block[192 + part] = (byte)(sbyte)scale;
            float partInverse = LegacyBlockEncoder.Inverse(blockScale * scale);
            for (int i = part * SymmetricPartElements; i < (part + 1) * SymmetricPartElements; i++)
            {
                Pack6(block, i, (int)Math.Clamp(MathF.Round(x[i] * partInverse), -32, 31) + 32);
            }
        }
    }

    /// <summary>Writes the first 16 bytes, <c>f16 d, dmin; u8 scales[12]</c>, and rounds the elements to levels.</summary>
    private static void EncodeScales(ReadOnlySpan<float> x, Span<byte> levels, Span<byte> block, int levelMax)
    {
        Span<float> scales = stackalloc float[AffineParts];
        Span<float> minimums = stackalloc float[AffineParts];
        Span<float> weights = stackalloc float[AffinePartElements];
        float scaleMax = 0;
        float minimumMax = 0;
        for (int part = 0; part < AffineParts; part++)
        {
            ReadOnlySpan<float> elements = x.Slice(part * AffinePartElements, AffinePartElements);
            ScaleSearch.WeighByMagnitude(elements, weights);
            (scales[part], minimums[part]) = ScaleSearch.Affine(elements, weights, levelMax);
            scaleMax = MathF.Max(scaleMax, scales[part]);
            minimumMax = MathF.Max(minimumMax, minimums[part]);
        }

        LegacyBlockEncoder.WriteHalf(block, scaleMax / ScaleMax);
        LegacyBlockEncoder.WriteHalf(block[2..], minimumMax / ScaleMax);
        float blockScale = LegacyBlocks.ReadHalf(block);
        float blockMinimum = LegacyBlocks.ReadHalf(block[2..]);
        Span<byte> packed = block.Slice(4, 12);
        packed.Clear();
        for (int part = 0; part < AffineParts; part++)
        {
            int scale = RoundScale(scales[part], blockScale);
            int minimum = RoundScale(minimums[part], blockMinimum);
            PackScale(packed, part, scale, minimum);
            float partScale = blockScale * scale;
            float partMinimum = blockMinimum * minimum;
            float inverse = LegacyBlockEncoder.Inverse(partScale);
            for (int i = part * AffinePartElements; i < (part + 1) * AffinePartElements; i++)
            {
                levels[i] = (byte)Math.Clamp(MathF.Round((x[i] + partMinimum) * inverse), 0, levelMax);
            }
        }
    }

    private static int RoundScale(float scale, float unit) => (int)Math.Clamp(MathF.Round(scale * LegacyBlockEncoder.Inverse(unit)), 0, ScaleMax);

    /// <summary>The inverse of <see cref="KBlocks"/>' unpacking: the first four of each whole in the low six bits, the others split.</summary>
    private static void PackScale(Span<byte> packed, int part, int scale, int minimum)
    {
        if (part < 4)
        {
            packed[part] |= (byte)scale;
            packed[part + 4] |= (byte)minimum;
        }
        else
        {
            packed[part + 4] |= (byte)((scale & 15) | ((minimum & 15) << 4));
            packed[part - 4] |= (byte)(scale >> 4 << 6);
            packed[part] |= (byte)(minimum >> 4 << 6);
        }
    }

    /// <summary>Parts 2k and 2k + 1 share 32 bytes, the first in the low nibbles.</summary>
    private static void PackNibbles(ReadOnlySpan<byte> levels, Span<byte> nibbles)
    {
        for (int i = 0; i < nibbles.Length; i++)
        {
            int first = (i / AffinePartElements * 2 * AffinePartElements) + (i % AffinePartElements);
            nibbles[i] = (byte)((levels[first] & 15) | ((levels[first + AffinePartElements] & 15) << 4));
        }
    }

    /// <summary>Sets a 6-bit level in a cleared block: in each half of 128, rows of 32 share their low bytes in pairs and one high byte of four.</summary>
    private static void Pack6(Span<byte> block, int i, int level)
    {
        int half = i / 128;
        int quarter = i % 128 / 32;
        int l = i % 32;
        block[(half * 64) + (quarter % 2 * 32) + l] |= (byte)((level & 15) << (quarter / 2 * 4));
        block[128 + (half * 32) + l] |= (byte)(level >> 4 << (2 * quarter));
    }
}
