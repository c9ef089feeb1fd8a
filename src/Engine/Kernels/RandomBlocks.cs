using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Kernels;

/// <summary>Weights to try kernels with: random quants, and random scales that are finite and not far apart, as those of a model are.</summary>
internal static class RandomBlocks
{
    /// <summary>Fills whole blocks of a format.</summary>
    /// <param name="filling">What every byte but those of the scales is, or null for random ones.</param>
    public static void Fill(GgmlType type, Span<byte> blocks, Random random, byte? filling = null)
    {
        if (filling is { } value)
        {
            blocks.Fill(value);
        }
        else
        {
            random.NextBytes(blocks);
        }

        for (; !blocks.IsEmpty; blocks = blocks[BlockDecoder.BlockBytes(type)..])
        {
            switch (type)
            {
                case GgmlType.F32:
                    BitConverter.TryWriteBytes(blocks, random.NextSingle() - 0.5f);
                    break;
                case GgmlType.BF16:
                    BitConverter.TryWriteBytes(blocks, (ushort)(BitConverter.SingleToUInt32Bits(random.NextSingle() - 0.5f) >> 16));
                    break;
                case GgmlType.MXFP4:
                    blocks[0] = (byte)random.Next(116, 124);
                    break;
                default:
                    WriteHalves(type, blocks, random);
                    break;
            }
        }
    }

    private static void WriteHalves(GgmlType type, Span<byte> block, Random random)
    {
        (int scale, int? minimum) = type switch
        {
            GgmlType.Q4_1 or GgmlType.Q5_1 or GgmlType.Q4_K or GgmlType.Q5_K => (0, 2),
            GgmlType.Q2_K => (80, 82),
            GgmlType.Q3_K => (108, null),
            GgmlType.Q6_K => (208, null),
            _ => (0, (int?)null),
        };
        BitConverter.TryWriteBytes(block[scale..], (Half)((random.NextSingle() - 0.3f) * 0.1f));
        if (minimum is { } offset)
        {
            BitConverter.TryWriteBytes(block[offset..], (Half)(random.NextSingle() - 0.8f));
        }
    }
}
