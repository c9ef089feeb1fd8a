using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Serving.Engine.Kernels.Assembled;

/// <summary>
/// What the tiles of the int8 class share. They are written with AVX-512 VNNI, which .NET has no intrinsics for: <c>vpdpbusd</c> multiplies four unsigned with four signed
/// bytes and adds the products to a 32-bit sum, in the place of three instructions. A tile is one panel (16 outputs, a register) × up to <see cref="RowsMax"/> rows; a
/// block's eight weight registers serve all of them. The sums are the same exact integers as in the kernels written with intrinsics and meet the same roundings
/// in the same order, so that the bits are the same.
/// </summary>
internal static class TileFrame
{
    /// <summary>Most rows of a tile.</summary>
    public const int RowsMax = 12;

    public const int Quads = QuantizedRow.BlockInputs / QuantizedRow.QuadInputs;

    private const int PrefetchBytes = 2560;
    private const int CacheLine = 64;

    // The arguments of a tile in the System V calling convention. (y and its stride wait on the stack.)
    public static readonly AssemblerRegister64 PanelAddress = rdi;
    public static readonly AssemblerRegister64 BlocksLeft = r9;
    private static readonly AssemblerRegister64 _x = rsi;
    private static readonly AssemblerRegister64 _xStride = rdx;
    private static readonly AssemblerRegister64 _y = rcx;
    private static readonly AssemblerRegister64 _yStride = r8;
    private static readonly AssemblerRegister64 _x3Stride = r11;

    // Registers that a tile may use as it likes until its end.
    public static readonly AssemblerRegister64 Scales = rax;
    public static readonly AssemblerRegister64 GroupBlocksLeft = r8;

    // Sums of the rows are zmm0 and on; a block's weights are zmm16 to zmm23. zmm12 to zmm15 and zmm24 to zmm26 are a format's own.
    public static readonly AssemblerRegisterZMM RowScale = zmm31;
    private static readonly AssemblerRegisterZMM[] _dots = [zmm27, zmm28, zmm29, zmm30];

    // Every fourth row has a base of its own; addressing reaches the three after it.
    private static readonly AssemblerRegister64[] _xBases = [rsi, r10, rcx];

    /// <summary>Saves what the end needs and clears the sums.</summary>
    public static void Begin(Assembler a, int rows)
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

    /// <summary>The same four bytes in every output.</summary>
    public static void Constant(Assembler a, AssemblerRegisterZMM register, uint quad)
    {
        a.mov(eax, unchecked((int)quad));
        a.vpbroadcastd(register, eax);
    }

    /// <summary>Adds a row's products with some of the block's quads to <paramref name="dot"/>.</summary>
    public static void AddQuads(Assembler a, int row, AssemblerRegisterZMM dot, int start, int end)
    {
        for (int quad = start; quad < end; quad++)
        {
            a.vpdpbusd(dot, Weights(quad), __dword_bcst[X(row) + (quad * QuantizedRow.QuadInputs)]);
        }
    }

    /// <summary>Adds whole numbers of a row to its sum: dot · (scale · row scale).</summary>
    public static void AddScaled(Assembler a, int row, AssemblerRegisterZMM dot, AssemblerRegisterZMM scale)
    {
        a.vcvtdq2ps(dot, dot);
        a.vmulps(RowScale, scale, __dword_bcst[X(row) + QuantizedRow.ScaleOffset]);
        a.vfmadd231ps(Sum(row), RowScale, dot);
    }

    /// <summary>Lets the rows go on to their next block and counts it; the flags say whether there is one.</summary>
    public static void NextBlock(Assembler a, int rows)
    {
        for (int i = 0; 4 * i < rows; i++)
        {
            a.add(_xBases[i], QuantizedRow.BlockBytes);
        }

        a.dec(BlocksLeft);
    }

    /// <summary>Stores the sums and returns.</summary>
    public static void End(Assembler a, int rows)
    {
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

    /// <summary>Asks for the lines of a block to come. Every other one is too few: not all processors fetch lines in pairs.</summary>
    public static void Prefetch(Assembler a, int blockBytes)
    {
        for (int line = 0; line < blockBytes; line += CacheLine)
        {
            a.prefetcht0(__byte_ptr[PanelAddress + PrefetchBytes + line]);
        }
    }

    /// <summary>Where a row's block is.</summary>
    public static AssemblerMemoryOperand X(int row) => (row % 4) switch
    {
        0 => __[_xBases[row / 4]],
        1 => __[_xBases[row / 4] + _xStride],
        2 => __[_xBases[row / 4] + (_xStride * 2)],
        _ => __[_xBases[row / 4] + _x3Stride],
    };

    /// <summary>A register for whole numbers of a row; it is free again with the fourth after it.</summary>
    public static AssemblerRegisterZMM Dot(int index) => _dots[index % _dots.Length];

    public static AssemblerRegisterZMM Sum(int row) => new((Register)((int)Register.ZMM0 + row));

    public static AssemblerRegisterZMM Weights(int quad) => new((Register)((int)Register.ZMM16 + quad));
}
