using System.Collections.Frozen;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Kernels.Panels;

/// <summary>
/// Panels of groups, each a header of scales and the bit planes of its blocks' quants (<see cref="QuadPlanes"/>): what
/// <see cref="BlockKernel{TSimd, TRegister, TBlock}"/> reads. They hold the file's numbers, in hardly more bytes.
/// </summary>
internal sealed unsafe class BlockPanels : PanelForm
{
    private static readonly FrozenDictionary<GgmlType, BlockPanels> _forms = All().ToFrozenDictionary(form => form._type);

    private readonly GgmlType _type;
    private readonly PanelHeader _header;
    private readonly QuantReader _read;

    /// <param name="type">The file's format.</param>
    /// <param name="header">How its scales lie.</param>
    /// <param name="planeBits">The bits of each plane, the lowest of a quant in the first.</param>
    /// <param name="read">Reads its quants.</param>
    /// <param name="codes">What a quant stands for, the header's offset added; null where it stands for itself.</param>
    private BlockPanels(GgmlType type, PanelHeader header, int[] planeBits, QuantReader read, short[]? codes = null)
    {
        _type = type;
        _header = header;
        _read = read;
        PlaneBits = planeBits;
        Codes = codes;
        foreach (int bits in planeBits)
        {
            QuantBytes += bits * QuadPlanes.BitBytes;
        }
    }

    private delegate void QuantReader(ReadOnlySpan<byte> block, int part, Span<byte> quants);

    public override string Name => $"{_type.ToString().ToLowerInvariant()}-panels-1";

    /// <summary>Blocks of 32 inputs in a group.</summary>
    public int GroupBlocks => _header.GroupBlocks;

    /// <summary>Bytes of a group's scales, which come before its quants.</summary>
    public int HeaderBytes => _header.ByteCount;

    /// <summary>Bytes of a block's quants.</summary>
    public int QuantBytes { get; }

    /// <summary>The bits of each plane of a block, the lowest of a quant in the first.</summary>
    public int[] PlaneBits { get; }

    /// <summary>What a quant stands for, made unsigned; null where it stands for itself.</summary>
    public short[]? Codes { get; }

    private int GroupBytes => HeaderBytes + (GroupBlocks * QuantBytes);

    /// <summary>The panels of a format.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It has none.</exception>
    public static BlockPanels Of(GgmlType type) => _forms.TryGetValue(type, out BlockPanels? form)
        ? form
        : throw new ArgumentOutOfRangeException(nameof(type), type, "No panels are made of this format.");

    public override long PanelBytes(int inputs) => (long)inputs / (QuantizedRow.BlockInputs * _header.GroupBlocks) * GroupBytes;

    public override void PackRow(ReadOnlySpan<byte> row, byte* panel, int lane)
    {
        Span<byte> quants = stackalloc byte[QuantizedRow.BlockInputs];
        for (; !row.IsEmpty; row = row[BlockDecoder.BlockBytes(_type)..], panel += GroupBytes)
        {
            ReadOnlySpan<byte> block = row[..BlockDecoder.BlockBytes(_type)];
            _header.Write(block, panel, lane);
            byte* plane = panel + _header.ByteCount;
            for (int index = 0; index < _header.GroupBlocks; index++)
            {
                _read(block, index, quants);
                foreach (int bits in PlaneBits)
                {
                    QuadPlanes.Write(plane, bits, lane, quants);
                    plane += bits * QuadPlanes.BitBytes;
                    for (int i = 0; i < quants.Length; i++)
                    {
                        quants[i] >>= bits;
                    }
                }
            }
        }
    }

    public override void UnpackRow(byte* panel, int lane, Span<float> destination)
    {
        int inputs = destination.Length;
        for (int start = 0; start < inputs; start += QuantizedRow.BlockInputs)
        {
            int block = start / QuantizedRow.BlockInputs;
            int index = block % _header.GroupBlocks;
            byte* header = panel + ((long)block / _header.GroupBlocks * GroupBytes);
            byte* planes = header + _header.ByteCount + (index * QuantBytes);
            for (int half = 0; half < 2; half++)
            {
                (float scale, float minimum) = _header.Read(header, index, half, lane);
                for (int i = half * 16; i < (half + 1) * 16; i++)
                {
                    int quant = Quant(planes, lane, i);
                    destination[start + i] = ((Codes is null ? quant : Codes[quant]) * scale) + minimum;
                }
            }
        }
    }

    private int Quant(byte* planes, int lane, int input)
    {
        int quant = 0, below = 0;
        foreach (int bits in PlaneBits)
        {
            quant |= QuadPlanes.Read(planes, bits, lane, input) << below;
            planes += bits * QuadPlanes.BitBytes;
            below += bits;
        }

        return quant;
    }

    private static IEnumerable<BlockPanels> All()
    {
        static short[] Offset(ReadOnlySpan<sbyte> codes, int offset) => Array.ConvertAll(codes.ToArray(), code => (short)(code + offset));
        static void NibblesOf18(ReadOnlySpan<byte> block, int part, Span<byte> quants) => LegacyBlocks.ReadNibbles(block[2..], quants);

        yield return new(GgmlType.Q5_0, new HalfHeader(OffsetBy16.Value), [4, 1], (block, _, quants) => LegacyBlocks.ReadFiveBits(block[2..], quants));
        yield return new(GgmlType.Q5_1, new HalfMinimumHeader(), [4, 1], (block, _, quants) => LegacyBlocks.ReadFiveBits(block[4..], quants));
        yield return new(GgmlType.Q2_K, new HalvedMinimumHeader(), [2], SmallKBlocks.ReadQ2_K);
        yield return new(GgmlType.Q3_K, new HalvedHeader(SmallKBlocks.ReadQ3Scale, SmallKBlocks.ReadQ3Scale, OffsetBy4.Value), [2, 1], SmallKBlocks.ReadQ3_K);
        yield return new(GgmlType.Q4_K, new SuperMinimumHeader(), [4], KBlocks.ReadQ4_K);
        yield return new(GgmlType.Q5_K, new SuperMinimumHeader(), [4, 1], KBlocks.ReadQ5_K);
        yield return new(GgmlType.Q6_K, new HalvedHeader(KBlocks.ReadQ6Scale, KBlocks.ReadQ6Scale, OffsetBy32.Value), [4, 2], KBlocks.ReadQ6_K);
        yield return new(GgmlType.IQ4_NL, new HalfHeader(OffsetBy128.Value), [4], NibblesOf18, Offset(CodebookBlocks.NonLinear, OffsetBy128.Value));
        yield return new(
            GgmlType.IQ4_XS,
            new SuperHeader(OffsetBy128.Value),
            [4],
            (block, part, quants) => LegacyBlocks.ReadNibbles(CodebookBlocks.XsNibbles(block, part), quants),
            Offset(CodebookBlocks.NonLinear, OffsetBy128.Value));
        yield return new(
            GgmlType.MXFP4,
            new PowerHeader(OffsetBy12.Value),
            [4],
            (block, _, quants) => LegacyBlocks.ReadNibbles(block[1..], quants),
            Offset(CodebookBlocks.DoubledE2M1, OffsetBy12.Value));
    }
}
