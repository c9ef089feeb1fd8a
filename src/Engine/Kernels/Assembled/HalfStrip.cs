using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Serving.Engine.Kernels.Assembled;

/// <summary>
/// Strips of half-precision numbers, widened by the processor's own <c>vcvtph2ps</c>, which .NET has no intrinsic for and which takes the place of four instructions. The
/// chains of fused multiply-adds are those of <see cref="TileProduct{TSimd, TRegister}"/>, so the bits are the same.
/// </summary>
internal readonly unsafe struct HalfStrip : ITileStrip
{
    private const int RowsMax = 4;
    private const int RegisterBytes = 64;

    private static readonly MachineCode? _code;

    // By rows; behind those that begin with zeros, those that begin with C.
    private static readonly nint[] _strips;

#pragma warning disable CA1810 // Both come from one assembly.
    static HalfStrip()
    {
        var functions = new Action<Assembler>[2 * RowsMax];
        for (int i = 0; i < RowsMax; i++)
        {
            int rows = i + 1;
            functions[i] = a => Write(a, rows, accumulate: false);
            functions[RowsMax + i] = a => Write(a, rows, accumulate: true);
        }

        _strips = MachineCode.Assemble(functions, out _code);
    }
#pragma warning restore CA1810

    /// <summary>Whether the system allows code made at run time. The processor needs AVX-512.</summary>
    public static bool IsSupported => _code is not null;

    public static int NumberBytes => sizeof(short);

    public static void Run(in TileStripWork work, int rows, bool accumulate)
    {
        fixed (TileStripWork* address = &work)
        {
            var strip = (delegate* unmanaged[SuppressGCTransition]<TileStripWork*, void>)_strips[rows - 1 + (accumulate ? RowsMax : 0)];
            strip(address);
        }
    }

    private static void Write(Assembler a, int rows, bool accumulate)
    {
        // The argument stays in rdi; rax and rcx serve C before and after they serve B.
        AssemblerRegister64 x = r10, xStride = rsi, x3Stride = rbx, b0 = rdx, b1 = rcx, ahead0 = r8, ahead1 = r9, bStride = r11, depth = rax, c = rax, cStride = rcx;
        a.push(x3Stride);
        Load(a, c, 8);
        Load(a, cStride, 9);
        for (int row = 0; row < rows; row++)
        {
            for (int register = 0; register < 2; register++)
            {
                AssemblerRegisterZMM sum = Sum(row, register);
                if (accumulate)
                {
                    a.vmovups(sum, __zmmword_ptr[c + (register * RegisterBytes)]);
                }
                else
                {
                    a.vpxord(sum, sum, sum);
                }
            }

            a.add(c, cStride);
        }

        Load(a, x, 0);
        Load(a, xStride, 1);
        Load(a, b0, 2);
        Load(a, b1, 3);
        Load(a, ahead0, 4);
        Load(a, ahead1, 5);
        Load(a, bStride, 6);
        Load(a, depth, 7);
        a.lea(x3Stride, __[xStride + (xStride * 2)]);

        Label next = a.CreateLabel();
        a.Label(ref next);
        a.prefetcht0(__byte_ptr[b0 + ahead0]);
        a.prefetcht0(__byte_ptr[b1 + ahead1]);
        a.vcvtph2ps(zmm16, __ymmword_ptr[b0]);
        a.vcvtph2ps(zmm17, __ymmword_ptr[b1]);
        AssemblerMemoryOperand[] xs = [__dword_ptr[x], __dword_ptr[x + xStride], __dword_ptr[x + (xStride * 2)], __dword_ptr[x + x3Stride]];
        for (int row = 0; row < rows; row++)
        {
            AssemblerRegisterZMM factor = new((Register)((int)Register.ZMM18 + row));
            a.vbroadcastss(factor, xs[row]);
            a.vfmadd231ps(Sum(row, 0), factor, zmm16);
            a.vfmadd231ps(Sum(row, 1), factor, zmm17);
        }

        a.add(x, sizeof(float));
        a.add(b0, bStride);
        a.add(b1, bStride);
        a.dec(depth);
        a.jnz(next);

        Load(a, c, 8);
        Load(a, cStride, 9);
        for (int row = 0; row < rows; row++)
        {
            a.vmovups(__zmmword_ptr[c], Sum(row, 0));
            a.vmovups(__zmmword_ptr[c + RegisterBytes], Sum(row, 1));
            a.add(c, cStride);
        }

        a.pop(x3Stride);
        a.vzeroupper();
        a.ret();
    }

    /// <param name="field">Which of the fields of <see cref="TileStripWork"/>, each of eight bytes.</param>
    private static void Load(Assembler a, AssemblerRegister64 register, int field) => a.mov(register, __qword_ptr[rdi + (field * sizeof(long))]);

    private static AssemblerRegisterZMM Sum(int row, int register) => new((Register)((int)Register.ZMM0 + (2 * row) + register));
}
