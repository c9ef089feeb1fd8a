using Iced.Intel;
using Serving.Engine.Formats;
using Serving.Engine.Kernels.Panels;
using static Iced.Intel.AssemblerRegisters;
using static Serving.Engine.Kernels.Assembled.TileFrame;

namespace Serving.Engine.Kernels.Assembled;

/// <summary>Writes the tiles of <see cref="BlockPanels"/>: groups of a header and the planes of some blocks.</summary>
internal static class BlockTileAssembly
{
    private static readonly AssemblerRegisterZMM _lowMask = zmm13;
    private static readonly AssemblerRegisterZMM _highMask = zmm14;

    // Codes have no bits of another plane.
    private static readonly AssemblerRegisterZMM _codes = zmm14;

    /// <exception cref="ArgumentOutOfRangeException">The format has no panels.</exception>
    public static void Write(Assembler a, int rows, GgmlType type)
    {
        BlockPanels panels = BlockPanels.Of(type);
        ScaleAssembly scales = ScaleAssembly.Of(type);
        Label group = a.CreateLabel(), block = a.CreateLabel(), end = a.CreateLabel(), codes = a.CreateLabel();
        Begin(a, rows);
        WriteConstants(a, panels, codes);
        scales.WriteConstants(a);
        a.Label(ref group);
        scales.LoadGroup(a);
        a.lea(Scales, __[PanelAddress + scales.MultiplesOffset]);
        a.add(PanelAddress, panels.HeaderBytes);
        a.mov(r8d, panels.GroupBlocks);
        a.Label(ref block);
        Prefetch(a, panels.QuantBytes);
        Unpack(a, panels);
        scales.LoadBlock(a);
        for (int row = 0; row < rows; row++)
        {
            scales.AddRow(a, row);
        }

        a.add(PanelAddress, panels.QuantBytes);
        a.add(Scales, scales.MultiplesBytes);
        NextBlock(a, rows);
        a.jz(end);
        a.dec(GroupBlocksLeft);
        a.jnz(block);
        a.jmp(group);
        a.Label(ref end);
        End(a, rows);
        if (panels.Codes is not null)
        {
            a.Label(ref codes);
            a.db(Array.ConvertAll(panels.Codes, code => (byte)code));
        }
    }

    private static void WriteConstants(Assembler a, BlockPanels panels, Label codes)
    {
        Constant(a, _lowMask, 0x01010101u * LowMask(panels));
        if (panels.PlaneBits.Length > 1)
        {
            Constant(a, _highMask, 0x01010101u * HighMask(panels));
        }

        if (panels.Codes is not null)
        {
            a.vbroadcasti32x4(_codes, __xmmword_ptr[codes]);
        }
    }

    private static uint LowMask(BlockPanels panels) => (1u << panels.PlaneBits[0]) - 1;

    private static uint HighMask(BlockPanels panels) => ((1u << panels.PlaneBits[1]) - 1) << panels.PlaneBits[0];

    /// <summary>A quad a register; the bits of a second plane come above those of the first.</summary>
    private static void Unpack(Assembler a, BlockPanels panels)
    {
        int lowBits = panels.PlaneBits[0], highBits = panels.PlaneBits.Length > 1 ? panels.PlaneBits[1] : 0;
        for (int quad = 0; quad < Quads; quad++)
        {
            AssemblerRegisterZMM weights = Weights(quad), low = Dot(quad);
            if (highBits == 0)
            {
                LoadPlane(a, weights, 0, lowBits, quad, place: 0);
                a.vpandd(weights, weights, _lowMask);
            }
            else
            {
                // Bits within the mask of the first plane are the first's, the others the second's.
                const byte MaskedFromB = 0xd8;
                LoadPlane(a, low, 0, lowBits, quad, place: 0);
                LoadPlane(a, weights, lowBits * QuadPlanes.BitBytes, highBits, quad, place: lowBits);
                a.vpandd(weights, weights, _highMask);
                a.vpternlogd(weights, low, _lowMask, MaskedFromB);
            }

            if (panels.Codes is not null)
            {
                a.vpshufb(weights, _codes, weights);
            }
        }
    }

    /// <summary>A quad's bits of a plane at a place of each byte, among those of others.</summary>
    private static void LoadPlane(Assembler a, AssemblerRegisterZMM register, int plane, int bits, int quad, int place)
    {
        int quadsInRegister = 8 / bits;
        AssemblerMemoryOperand source = __zmmword_ptr[PanelAddress + plane + (quad / quadsInRegister * QuadPlanes.RegisterBytes)];
        int shift = place - (quad % quadsInRegister * bits);
        if (shift > 0)
        {
            a.vpsllw(register, source, (byte)shift);
        }
        else if (shift < 0)
        {
            a.vpsrlw(register, source, (byte)-shift);
        }
        else
        {
            a.vmovdqu32(register, source);
        }
    }
}
