using System.Buffers.Binary;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Kernels.Panels;

/// <summary><c>f16 d</c> a block: what <see cref="HalfScales{TSimd, TRegister, TOffset}"/> reads.</summary>
internal sealed unsafe class HalfHeader(int offset) : PanelHeader
{
    public override int GroupBlocks => 1;

    public override int ByteCount => Outputs * sizeof(ushort);

    public override void Write(ReadOnlySpan<byte> block, byte* header, int lane) => ((ushort*)header)[lane] = BinaryPrimitives.ReadUInt16LittleEndian(block);

    public override (float Scale, float Minimum) Read(byte* header, int index, int half, int lane)
    {
        float scale = HalfBits.ToSingle(((ushort*)header)[lane]);
        return (scale, -offset * scale);
    }
}

/// <summary><c>f16 d, m</c> a block: what <see cref="HalfMinimumScales{TSimd, TRegister}"/> reads.</summary>
internal sealed unsafe class HalfMinimumHeader : PanelHeader
{
    public override int GroupBlocks => 1;

    public override int ByteCount => 2 * Outputs * sizeof(ushort);

    public override void Write(ReadOnlySpan<byte> block, byte* header, int lane)
    {
        ((ushort*)header)[lane] = BinaryPrimitives.ReadUInt16LittleEndian(block);
        ((ushort*)header)[Outputs + lane] = BinaryPrimitives.ReadUInt16LittleEndian(block[sizeof(ushort)..]);
    }

    public override (float Scale, float Minimum) Read(byte* header, int index, int half, int lane) =>
        (HalfBits.ToSingle(((ushort*)header)[lane]), HalfBits.ToSingle(((ushort*)header)[Outputs + lane]));
}

/// <summary>MXFP4's power of two a block: what <see cref="PowerScales{TSimd, TRegister, TOffset}"/> reads.</summary>
internal sealed unsafe class PowerHeader(int offset) : PanelHeader
{
    public override int GroupBlocks => 1;

    public override int ByteCount => Outputs * sizeof(ushort);

    public override void Write(ReadOnlySpan<byte> block, byte* header, int lane) =>
        ((ushort*)header)[lane] = (ushort)(BitConverter.SingleToUInt32Bits(CodebookBlocks.ReadMxfp4Scale(block)) >> 16);

    public override (float Scale, float Minimum) Read(byte* header, int index, int half, int lane)
    {
        float scale = BitConverter.UInt32BitsToSingle((uint)((ushort*)header)[lane] << 16);
        return (scale, -offset * scale);
    }
}

/// <summary>The scales of Q4_K and Q5_K: what <see cref="SuperMinimumScales{TSimd, TRegister}"/> reads.</summary>
internal sealed unsafe class SuperMinimumHeader : PanelHeader
{
    private const int MultiplesOffset = 2 * Outputs * sizeof(float);

    public override int GroupBlocks => 8;

    public override int ByteCount => MultiplesOffset + (GroupBlocks * 2 * Outputs);

    public override void Write(ReadOnlySpan<byte> block, byte* header, int lane)
    {
        ((float*)header)[lane] = LegacyBlocks.ReadHalf(block);
        ((float*)header)[Outputs + lane] = -LegacyBlocks.ReadHalf(block[sizeof(ushort)..]);
        byte* multiples = header + MultiplesOffset + lane;
        for (int index = 0; index < GroupBlocks; index++, multiples += 2 * Outputs)
        {
            (multiples[0], multiples[Outputs]) = KBlocks.ReadScale(block, index);
        }
    }

    public override (float Scale, float Minimum) Read(byte* header, int index, int half, int lane)
    {
        byte* multiples = header + MultiplesOffset + (index * 2 * Outputs) + lane;
        return (((float*)header)[lane] * multiples[0], ((float*)header)[Outputs + lane] * multiples[Outputs]);
    }
}

/// <summary>The scales of IQ4_XS: what <see cref="SuperScales{TSimd, TRegister, TOffset}"/> reads.</summary>
internal sealed unsafe class SuperHeader(int offset) : PanelHeader
{
    private const int MultiplesOffset = Outputs * sizeof(float);

    public override int GroupBlocks => 8;

    public override int ByteCount => MultiplesOffset + (GroupBlocks * Outputs);

    public override void Write(ReadOnlySpan<byte> block, byte* header, int lane)
    {
        ((float*)header)[lane] = LegacyBlocks.ReadHalf(block);
        for (int index = 0; index < GroupBlocks; index++)
        {
            header[MultiplesOffset + (index * Outputs) + lane] = (byte)CodebookBlocks.ReadXsScale(block, index);
        }
    }

    public override (float Scale, float Minimum) Read(byte* header, int index, int half, int lane)
    {
        float scale = ((float*)header)[lane] * (sbyte)header[MultiplesOffset + (index * Outputs) + lane];
        return (scale, -offset * scale);
    }
}

/// <summary>The scales of Q6_K and Q3_K: what <see cref="HalvedBlock{TSimd, TRegister, TQuants, TOffset}"/> reads.</summary>
/// <param name="readScale">The scale of a whole block of the file.</param>
/// <param name="readMultiple">The multiple of a sixteenth of it.</param>
/// <param name="offset">What is subtracted from the quants.</param>
internal sealed unsafe class HalvedHeader(Func<ReadOnlySpan<byte>, float> readScale, Func<ReadOnlySpan<byte>, int, sbyte> readMultiple, int offset) : PanelHeader
{
    private const int MultiplesOffset = Outputs * sizeof(float);

    public override int GroupBlocks => 8;

    public override int ByteCount => MultiplesOffset + (GroupBlocks * 2 * Outputs);

    public override void Write(ReadOnlySpan<byte> block, byte* header, int lane)
    {
        ((float*)header)[lane] = readScale(block);
        for (int half = 0; half < 2 * GroupBlocks; half++)
        {
            header[Multiple(half / 2, half % 2, lane)] = (byte)readMultiple(block, half);
        }
    }

    public override (float Scale, float Minimum) Read(byte* header, int index, int half, int lane)
    {
        float scale = ((float*)header)[lane] * (sbyte)header[Multiple(index, half, lane)];
        return (scale, -offset * scale);
    }

    private static int Multiple(int index, int half, int lane) => MultiplesOffset + (((index * Outputs) + lane) * 2) + half;
}

/// <summary>The scales of Q2_K: what <see cref="HalvedMinimumBlock{TSimd, TRegister, TQuants}"/> reads.</summary>
internal sealed unsafe class HalvedMinimumHeader : PanelHeader
{
    private const int MultiplesOffset = 2 * Outputs * sizeof(float);

    public override int GroupBlocks => 8;

    public override int ByteCount => MultiplesOffset + (GroupBlocks * 2 * Outputs);

    public override void Write(ReadOnlySpan<byte> block, byte* header, int lane)
    {
        (float scale, float minimum) = SmallKBlocks.ReadQ2Scales(block);
        ((float*)header)[lane] = scale;
        ((float*)header)[Outputs + lane] = -minimum;
        for (int half = 0; half < 2 * GroupBlocks; half++)
        {
            header[Multiples(half / 2, half % 2, lane)] = block[half];
        }
    }

    public override (float Scale, float Minimum) Read(byte* header, int index, int half, int lane)
    {
        int multiples = header[Multiples(index, half, lane)];
        return (((float*)header)[lane] * (multiples & 15), ((float*)header)[Outputs + lane] * (multiples >> 4));
    }

    private static int Multiples(int index, int half, int lane) => MultiplesOffset + (((index * Outputs) + lane) * 2) + half;
}
