using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Serving.Engine.Kernels.Assembled;

/// <summary>
/// Writes the tiles of the int8 class with AVX-512 VNNI, which .NET has no intrinsics for: <c>vpdpbusd</c> multiplies four unsigned with four signed bytes and adds
/// the products to a 32-bit sum, in the place of three instructions. A tile is one panel (16 outputs, a register) × up to <see cref="RowsMax"/> rows; a block's
/// eight weight registers serve all of them. The sums are the same exact integers as in the kernels written with intrinsics and meet the same roundings
/// in the same order, so that the bits are the same.
/// </summary>
internal static class TileAssembly
{
    /// <summary>Most rows of a tile.</summary>
    public const int RowsMax = 12;

    private const int Quads = QuantizedRow.BlockInputs / QuantizedRow.QuadInputs;
    private const int PrefetchBytes = 2560;
    private const int CacheLine = 64;

    // The arguments of a tile in the System V calling convention.
    private static readonly AssemblerRegister64 _weights = rdi;
    private static readonly AssemblerRegister64 _x = rsi;
    private static readonly AssemblerRegister64 _xStride = rdx;
    private static readonly AssemblerRegister64 _y = rcx;
    private static readonly AssemblerRegister64 _yStride = r8;
    private static readonly AssemblerRegister64 _blocks = r9;
    private static readonly AssemblerRegister64 _scales = rax;
    private static readonly AssemblerRegister64 _x3Stride = r11;

    // Every fourth row has a base of its own; addressing reaches the three after it. (y and its stride wait on the stack.)
    private static readonly AssemblerRegister64[] _xBases = [rsi, r10, rcx];

    // Sums of the rows are zmm0 and on; a block's weights are zmm16 to zmm23.
    private static readonly AssemblerRegisterZMM _scale = zmm24;
    private static readonly AssemblerRegisterZMM _minimum = zmm25;
    private static readonly AssemblerRegisterZMM _minus128 = zmm25;
    private static readonly AssemblerRegisterZMM _constant = zmm26;
    private static readonly AssemblerRegisterZMM[] _dots = [zmm27, zmm28, zmm29, zmm30];
    private static readonly AssemblerRegisterZMM _rowScale = zmm31;

    /// <summary>4-bit weights as in <see cref="NibblePanels"/>.</summary>
    public static void WriteNibbleTile(Assembler a, int rows)
    {
        Begin(a, rows);
        a.mov(eax, 0x0f0f0f0f);
        a.vpbroadcastd(_constant, eax);
        Label block = a.CreateLabel();
        a.Label(ref block);
        Prefetch(a, NibblePanels.BlockBytes);
        for (int pair = 0; pair < Quads / 2; pair++)
        {
            AssemblerRegisterZMM low = Weights(2 * pair), high = Weights((2 * pair) + 1);
            a.vmovdqu32(high, __zmmword_ptr[_weights + (pair * NibblePanels.QuadPairBytes)]);
            a.vpandd(low, high, _constant);
            a.vpsrlw(high, high, 4);
            a.vpandd(high, high, _constant);
        }

        a.vcvtph2ps(_scale, __ymmword_ptr[_weights + NibblePanels.ScalesOffset]);
        a.vcvtph2ps(_minimum, __ymmword_ptr[_weights + NibblePanels.ScalesOffset + (PanelProduct.PanelOutputs * sizeof(short))]);
        for (int row = 0; row < rows; row++)
        {
            AssemblerRegisterZMM dot = _dots[row % _dots.Length];
            a.vpxord(dot, dot, dot);
            AddBlock(a, row, dot);
            a.vfmadd231ps(Sum(row), _minimum, __dword_bcst[X(row) + QuantizedRow.SumOffset]);
        }

        a.add(_weights, NibblePanels.BlockBytes);
        End(a, rows, block);
    }

    /// <summary>
    /// 8-bit weights as in <see cref="BytePanels"/>. The instruction wants unsigned weights: they get 128 more, and a dot begins at −128 times the sum of the row's bytes.
    /// </summary>
    public static void WriteByteTile(Assembler a, int rows)
    {
        Begin(a, rows);

        a.mov(eax, unchecked((int)0x80808080));
        a.vpbroadcastd(_constant, eax);
        a.mov(eax, unchecked((int)0xff80ff80));
        a.vpbroadcastd(_minus128, eax);

        // The scales lie behind all blocks.
        a.mov(_scales, _blocks);
        a.imul(_scales, _scales, BytePanels.BlockBytes);
        a.add(_scales, _weights);
        Label block = a.CreateLabel();
        a.Label(ref block);
        Prefetch(a, BytePanels.BlockBytes);
        for (int quad = 0; quad < Quads; quad++)
        {
            a.vpxord(Weights(quad), _constant, __zmmword_ptr[_weights + (quad * BytePanels.QuadBytes)]);
        }

        a.vcvtph2ps(_scale, __ymmword_ptr[_scales]);
        for (int row = 0; row < rows; row++)
        {
            AssemblerRegisterZMM dot = _dots[row % _dots.Length];
            a.vpbroadcastd(dot, __dword_ptr[X(row) + QuantizedRow.HalfSumsOffset]);
            a.vpmaddwd(dot, dot, _minus128);
            AddBlock(a, row, dot);
        }

        a.add(_weights, BytePanels.BlockBytes);
        a.add(_scales, PanelProduct.PanelOutputs * sizeof(short));
        End(a, rows, block);
    }

    private static void Begin(Assembler a, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, RowsMax);
        a.push(_y);
        a.push(_yStride);
        a.lea(_x3Stride, __[_xStride + (_xStride * 2)]);
        if (rows > 4)
        {
            a.lea(_xBases[1], __[_x + (_xStride * 4)]);
        }

        if (rows > 8)
        {
            a.lea(_xBases[2], __[_x + (_xStride * 8)]);
        }

        for (int row = 0; row < rows; row++)
        {
            a.vpxord(Sum(row), Sum(row), Sum(row));
        }
    }

    /// <summary>Adds a row's block to its sum: dot · (weight scale · row scale).</summary>
    private static void AddBlock(Assembler a, int row, AssemblerRegisterZMM dot)
    {
        for (int quad = 0; quad < Quads; quad++)
        {
            a.vpdpbusd(dot, Weights(quad), __dword_bcst[X(row) + (quad * QuantizedRow.QuadInputs)]);
        }

        a.vcvtdq2ps(dot, dot);
        a.vmulps(_rowScale, _scale, __dword_bcst[X(row) + QuantizedRow.ScaleOffset]);
        a.vfmadd231ps(Sum(row), _rowScale, dot);
    }

    private static void End(Assembler a, int rows, Label block)
    {
        for (int i = 0; 4 * i < rows; i++)
        {
            a.add(_xBases[i], QuantizedRow.BlockBytes);
        }

        a.dec(_blocks);
        a.jnz(block);
        a.pop(_yStride);
        a.pop(_y);
        for (int row = 0; row < rows; row++)
        {
            a.vmovups(__zmmword_ptr[_y], Sum(row));
            a.add(_y, _yStride);
        }

        a.vzeroupper();
        a.ret();
    }

    /// <summary>Asks for every other line: the processor fetches lines in pairs.</summary>
    private static void Prefetch(Assembler a, int blockBytes)
    {
        for (int line = 0; line < blockBytes; line += 2 * CacheLine)
        {
            a.prefetcht0(__byte_ptr[_weights + PrefetchBytes + line]);
        }
    }

    private static AssemblerMemoryOperand X(int row) => (row % 4) switch
    {
        0 => __[_xBases[row / 4]],
        1 => __[_xBases[row / 4] + _xStride],
        2 => __[_xBases[row / 4] + (_xStride * 2)],
        _ => __[_xBases[row / 4] + _x3Stride],
    };

    private static AssemblerRegisterZMM Sum(int row) => new((Register)((int)Register.ZMM0 + row));

    private static AssemblerRegisterZMM Weights(int quad) => new((Register)((int)Register.ZMM16 + quad));
}
