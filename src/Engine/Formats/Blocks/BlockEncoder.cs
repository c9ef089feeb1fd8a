using System.Runtime.InteropServices;

namespace Serving.Engine.Formats.Blocks;

/// <summary>
/// Turns fp32 into the block formats of ggml, as <see cref="BlockDecoder"/> reads them. The formats of 32 elements are rounded as ggml's reference does; the K formats
/// look for the scales with the smallest weighted error (<see cref="ScaleSearch"/>).
/// </summary>
public static class BlockEncoder
{
    /// <summary>The formats it writes.</summary>
    public static bool CanEncode(GgmlType type) => type is GgmlType.F32 or GgmlType.F16 or GgmlType.BF16 or GgmlType.Q4_0 or GgmlType.Q4_1
        or GgmlType.Q5_0 or GgmlType.Q5_1 or GgmlType.Q8_0 or GgmlType.Q4_K or GgmlType.Q5_K or GgmlType.Q6_K;

    /// <summary>
    /// The first value that <paramref name="type"/> cannot hold, or -1: what is not finite, and with half-precision elements or scales what is beyond a half.
    /// </summary>
    public static int FindUnencodable(GgmlType type, ReadOnlySpan<float> values)
    {
        float magnitudeMax = type switch
        {
            GgmlType.F32 => float.MaxValue,
            GgmlType.BF16 => BFloat16Max,
            _ => HalfBits.ValueMax,
        };
        for (int i = 0; i < values.Length; i++)
        {
            // Written so that NaN is caught too.
            if (!(MathF.Abs(values[i]) <= magnitudeMax))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Encodes whole blocks.</summary>
    /// <param name="source">Values without any that <see cref="FindUnencodable"/> finds.</param>
    /// <param name="destination">Exactly the blocks that hold <paramref name="source"/>'s elements.</param>
    /// <exception cref="ArgumentException">The two lengths do not belong together.</exception>
    public static void Encode(GgmlType type, ReadOnlySpan<float> source, Span<byte> destination)
    {
        int elements = BlockDecoder.BlockElements(type);
        int bytes = BlockDecoder.BlockBytes(type);
        int blocks = source.Length / elements;
        if (source.Length % elements != 0 || destination.Length != (long)blocks * bytes)
        {
            throw new ArgumentException(
                $"{source.Length} elements of {type} need whole blocks of {elements} elements in {bytes} bytes each, but room for {destination.Length} bytes was given.",
                nameof(destination));
        }

        if (elements == 1)
        {
            EncodeFloats(type, source, destination);
            return;
        }

        for (int block = 0; block < blocks; block++)
        {
            EncodeBlock(type, source.Slice(block * elements, elements), destination.Slice(block * bytes, bytes));
        }
    }

    /// <summary>The largest finite BF16.</summary>
    private static float BFloat16Max => BitConverter.UInt32BitsToSingle(0x7f7f_0000);

    private static void EncodeFloats(GgmlType type, ReadOnlySpan<float> source, Span<byte> destination)
    {
        switch (type)
        {
            case GgmlType.F32:
                MemoryMarshal.AsBytes(source).CopyTo(destination);
                return;
            case GgmlType.F16:
                Span<Half> halves = MemoryMarshal.Cast<byte, Half>(destination);
                for (int i = 0; i < source.Length; i++)
                {
                    halves[i] = (Half)source[i];
                }

                return;
            case GgmlType.BF16:
                Span<ushort> shorts = MemoryMarshal.Cast<byte, ushort>(destination);
                for (int i = 0; i < source.Length; i++)
                {
                    // The upper half of the bits, rounded to nearest, ties to even.
                    uint bits = BitConverter.SingleToUInt32Bits(source[i]);
                    shorts[i] = (ushort)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
                }

                return;
            default:
                throw Unknown(type);
        }
    }

    private static void EncodeBlock(GgmlType type, ReadOnlySpan<float> x, Span<byte> block)
    {
        switch (type)
        {
            case GgmlType.Q4_0: LegacyBlockEncoder.EncodeQ4_0(x, block); break;
            case GgmlType.Q4_1: LegacyBlockEncoder.EncodeQ4_1(x, block); break;
            case GgmlType.Q5_0: LegacyBlockEncoder.EncodeQ5_0(x, block); break;
            case GgmlType.Q5_1: LegacyBlockEncoder.EncodeQ5_1(x, block); break;
            case GgmlType.Q8_0: LegacyBlockEncoder.EncodeQ8_0(x, block); break;
            case GgmlType.Q4_K: KBlockEncoder.EncodeQ4_K(x, block); break;
            case GgmlType.Q5_K: KBlockEncoder.EncodeQ5_K(x, block); break;
            case GgmlType.Q6_K: KBlockEncoder.EncodeQ6_K(x, block); break;
            default: throw Unknown(type);
        }
    }

    private static ArgumentOutOfRangeException Unknown(GgmlType type) => new(nameof(type), type, "This ggml type is not one the engine writes.");
}
