namespace Serving.Engine.Formats.Blocks;

/// <summary>Turns the block formats of ggml into fp32, exactly as ggml's own reference does (layouts: ggml's <c>ggml-common.h</c>).</summary>
public static class BlockDecoder
{
    /// <summary>Elements of one block of <paramref name="type"/>; 1 where the format has no blocks.</summary>
    public static int BlockElements(GgmlType type) => type switch
    {
        GgmlType.F32 or GgmlType.F16 or GgmlType.BF16 or GgmlType.I8 or GgmlType.I32 => 1,
        GgmlType.Q4_0 or GgmlType.Q4_1 or GgmlType.Q5_0 or GgmlType.Q5_1 or GgmlType.Q8_0 or GgmlType.IQ4_NL or GgmlType.MXFP4 => 32,
        GgmlType.Q2_K or GgmlType.Q3_K or GgmlType.Q4_K or GgmlType.Q5_K or GgmlType.Q6_K or GgmlType.IQ4_XS => 256,
        _ => throw Unknown(type),
    };

    /// <summary>Bytes of one block of <paramref name="type"/>.</summary>
    public static int BlockBytes(GgmlType type) => type switch
    {
        GgmlType.F32 => 4,
        GgmlType.F16 or GgmlType.BF16 => 2,
        GgmlType.I8 => 1,
        GgmlType.I32 => 4,
        GgmlType.Q4_0 or GgmlType.IQ4_NL => 18,
        GgmlType.Q4_1 => 20,
        GgmlType.Q5_0 => 22,
        GgmlType.Q5_1 => 24,
        GgmlType.Q8_0 => 34,
        GgmlType.Q2_K => 84,
        GgmlType.Q3_K => 110,
        GgmlType.Q4_K => 144,
        GgmlType.Q5_K => 176,
        GgmlType.Q6_K => 210,
        GgmlType.IQ4_XS => 136,
        GgmlType.MXFP4 => 17,
        _ => throw Unknown(type),
    };

    /// <summary>Whether a format holds weights: not plain integers, which mean something only to whoever put them there.</summary>
    public static bool HoldsWeights(GgmlType type) => type is not (GgmlType.I8 or GgmlType.I32);

    /// <summary>Decodes whole blocks.</summary>
    /// <param name="source">Exactly the blocks that hold <paramref name="destination"/>'s elements.</param>
    /// <exception cref="ArgumentException">The two lengths do not belong together.</exception>
    public static void Decode(GgmlType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        int elements = BlockElements(type);
        int bytes = BlockBytes(type);
        int blocks = destination.Length / elements;
        if (!HoldsWeights(type))
        {
            throw Unknown(type);
        }

        if (destination.Length % elements != 0 || source.Length != (long)blocks * bytes)
        {
            throw new ArgumentException(
                $"{destination.Length} elements of {type} need whole blocks of {elements} elements in {bytes} bytes each, but {source.Length} bytes were given.",
                nameof(source));
        }

        if (elements == 1)
        {
            FloatBlocks.Decode(type, source, destination);
            return;
        }

        for (int block = 0; block < blocks; block++)
        {
            DecodeBlock(type, source.Slice(block * bytes, bytes), destination.Slice(block * elements, elements));
        }
    }

    private static void DecodeBlock(GgmlType type, ReadOnlySpan<byte> block, Span<float> y)
    {
        switch (type)
        {
            case GgmlType.Q4_0: LegacyBlocks.DecodeQ4_0(block, y); break;
            case GgmlType.Q4_1: LegacyBlocks.DecodeQ4_1(block, y); break;
            case GgmlType.Q5_0: LegacyBlocks.DecodeQ5_0(block, y); break;
            case GgmlType.Q5_1: LegacyBlocks.DecodeQ5_1(block, y); break;
            case GgmlType.Q8_0: LegacyBlocks.DecodeQ8_0(block, y); break;
            case GgmlType.Q2_K: SmallKBlocks.DecodeQ2_K(block, y); break;
            case GgmlType.Q3_K: SmallKBlocks.DecodeQ3_K(block, y); break;
            case GgmlType.Q4_K: KBlocks.DecodeQ4_K(block, y); break;
            case GgmlType.Q5_K: KBlocks.DecodeQ5_K(block, y); break;
            case GgmlType.Q6_K: KBlocks.DecodeQ6_K(block, y); break;
            case GgmlType.IQ4_NL: CodebookBlocks.DecodeIQ4_NL(block, y); break;
            case GgmlType.IQ4_XS: CodebookBlocks.DecodeIQ4_XS(block, y); break;
            case GgmlType.MXFP4: CodebookBlocks.DecodeMxfp4(block, y); break;
            default: throw Unknown(type);
        }
    }

    private static ArgumentOutOfRangeException Unknown(GgmlType type) => new(nameof(type), type, "This ggml type is not one the engine reads.");
}
