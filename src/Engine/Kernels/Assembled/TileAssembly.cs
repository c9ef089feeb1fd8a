using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using static Serving.Engine.Kernels.Assembled.TileFrame;

namespace Serving.Engine.Kernels.Assembled;

/// <summary>Writes the tiles of <see cref="NibblePanels"/> and <see cref="BytePanels"/>.</summary>
internal static class TileAssembly
{
    private static readonly AssemblerRegisterZMM _scale = zmm24;
    private static readonly AssemblerRegisterZMM _minimum = zmm25;
    private static readonly AssemblerRegisterZMM _minus128 = zmm25;
    private static readonly AssemblerRegisterZMM _constant = zmm26;

    /// <summary>4-bit weights as in <see cref="NibblePanels"/>.</summary>
    public static void WriteNibbleTile(Assembler a, int rows)
    {
        Begin(a, rows);
        Constant(a, _constant, 0x0f0f0f0f);
        Label block = a.CreateLabel();
        a.Label(ref block);
        Prefetch(a, NibblePanels.BlockBytes);
        for (int pair = 0; pair < Quads / 2; pair++)
        {
            AssemblerRegisterZMM low = Weights(2 * pair), high = Weights((2 * pair) + 1);
            a.vmovdqu32(high, __zmmword_ptr[PanelAddress + (pair * NibblePanels.QuadPairBytes)]);
            a.vpandd(low, high, _constant);
            a.vpsrlw(high, high, 4);
            a.vpandd(high, high, _constant);
        }

        a.vcvtph2ps(_scale, __ymmword_ptr[PanelAddress + NibblePanels.ScalesOffset]);
        a.vcvtph2ps(_minimum, __ymmword_ptr[PanelAddress + NibblePanels.ScalesOffset + (PanelProduct.PanelOutputs * sizeof(short))]);
        for (int row = 0; row < rows; row++)
        {
            a.vpxord(Dot(row), Dot(row), Dot(row));
            AddQuads(a, row, Dot(row), 0, Quads);
            AddScaled(a, row, Dot(row), _scale);
            a.vfmadd231ps(Sum(row), _minimum, __dword_bcst[X(row) + QuantizedRow.SumOffset]);
        }

        a.add(PanelAddress, NibblePanels.BlockBytes);
        NextBlock(a, rows);
        a.jnz(block);
        End(a, rows);
    }

    /// <summary>
    /// 8-bit weights as in <see cref="BytePanels"/>. The instruction wants unsigned weights: they get 128 more, and a dot begins at −128 times the sum of the row's bytes.
    /// </summary>
    public static void WriteByteTile(Assembler a, int rows)
    {
        Begin(a, rows);
        Constant(a, _constant, 0x80808080);
        Constant(a, _minus128, 0xff80ff80);

        // The scales lie behind all blocks.
        a.mov(Scales, BlocksLeft);
        a.imul(Scales, Scales, BytePanels.BlockBytes);
        a.add(Scales, PanelAddress);
        Label block = a.CreateLabel();
        a.Label(ref block);
        Prefetch(a, BytePanels.BlockBytes);
        for (int quad = 0; quad < Quads; quad++)
        {
            a.vpxord(Weights(quad), _constant, __zmmword_ptr[PanelAddress + (quad * BytePanels.QuadBytes)]);
        }

        a.vcvtph2ps(_scale, __ymmword_ptr[Scales]);
        for (int row = 0; row < rows; row++)
        {
            a.vpbroadcastd(Dot(row), __dword_ptr[X(row) + QuantizedRow.HalfSumsOffset]);
            a.vpmaddwd(Dot(row), Dot(row), _minus128);
            AddQuads(a, row, Dot(row), 0, Quads);
            AddScaled(a, row, Dot(row), _scale);
        }

        a.add(PanelAddress, BytePanels.BlockBytes);
        a.add(Scales, PanelProduct.PanelOutputs * sizeof(short));
        NextBlock(a, rows);
        a.jnz(block);
        End(a, rows);
    }
}
