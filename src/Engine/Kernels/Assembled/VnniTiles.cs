using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels.Assembled;

/// <summary>
/// The matrix kernels made of <see cref="TileAssembly"/>'s tiles. The kernels written with intrinsics add the outliers, which are few, and take one row alone: it waits for
/// memory, and they measured a tenth faster at that.
/// </summary>
internal static unsafe class VnniTiles
{
    private static readonly MachineCode? _code;
    private static readonly nint[] _nibbleTiles = [];
    private static readonly nint[] _byteTiles = [];

#pragma warning disable CA1810 // The tables come from one assembly.
    static VnniTiles()
    {
        if (!HasVnni())
        {
            return;
        }

        var functions = new Action<Iced.Intel.Assembler>[2 * TileFrame.RowsMax];
        for (int i = 0; i < TileFrame.RowsMax; i++)
        {
            int rows = i + 1;
            functions[i] = a => TileAssembly.WriteNibbleTile(a, rows);
            functions[TileFrame.RowsMax + i] = a => TileAssembly.WriteByteTile(a, rows);
        }

        nint[] addresses = MachineCode.Assemble(functions, out _code);
        if (_code is not null)
        {
            _nibbleTiles = addresses[..TileFrame.RowsMax];
            _byteTiles = addresses[TileFrame.RowsMax..];
        }
    }
#pragma warning restore CA1810

    /// <summary>Whether the processor has the instructions and the system allows code made at run time.</summary>
    public static bool IsSupported => _code is not null;

    public static void MultiplyNibblePanel(in PanelProduct product, int panel, float* y, int yStride, int firstRow, int rows)
    {
        if (rows == 1)
        {
            NibbleKernel<Avx512Simd, Vector512<byte>>.MultiplyPanel(in product, panel, y, yStride, firstRow, rows);
        }
        else
        {
            Multiply<Nibbles>(_nibbleTiles, in product, panel, y, yStride, firstRow, rows);
        }
    }

    public static void MultiplyBytePanel(in PanelProduct product, int panel, float* y, int yStride, int firstRow, int rows)
    {
        if (rows == 1)
        {
            ByteKernel<Avx512Simd, Vector512<byte>>.MultiplyPanel(in product, panel, y, yStride, firstRow, rows);
        }
        else
        {
            Multiply<Bytes>(_byteTiles, in product, panel, y, yStride, firstRow, rows);
        }
    }

    /// <summary>Multiplies rows with a panel by tiles, and adds their outliers.</summary>
    /// <param name="tiles">By rows, from one on.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<TOutliers>(nint[] tiles, in PanelProduct product, int panel, float* y, int yStride, int firstRow, int rows)
        where TOutliers : struct, ITileOutliers
    {
        byte* weights = product.Weights + (panel * product.PanelBytes);
        byte* x = product.X + (firstRow * product.XStrideBytes);
        int blocks = product.Inputs / QuantizedRow.BlockInputs;
        RunTiles(tiles, weights, x, product.XStrideBytes, y, yStride, blocks, rows);
        for (byte* outliers = x + (blocks * QuantizedRow.BlockBytes); rows > 0; rows--, outliers += product.XStrideBytes, y += yStride)
        {
            if (*(int*)outliers > 0)
            {
                TOutliers.Add(weights, blocks, outliers, y);
            }
        }
    }

    /// <summary>Divides rows into the fewest tiles, as equal as can be: a tile of one row costs as much as one of three.</summary>
    private static void RunTiles(nint[] tiles, byte* weights, byte* x, long xStrideBytes, float* y, int yStride, int blocks, int rows)
    {
        for (int left = (rows + TileFrame.RowsMax - 1) / TileFrame.RowsMax; left > 0; left--)
        {
            int count = (rows + left - 1) / left;
            var tile = (delegate* unmanaged[SuppressGCTransition]<byte*, byte*, long, float*, long, long, void>)tiles[count - 1];
            tile(weights, x, xStrideBytes, y, (long)yStride * sizeof(float), blocks);
            x += count * xStrideBytes;
            y += (long)count * yStride;
            rows -= count;
        }
    }

    private static bool HasVnni()
    {
        const int Avx512VnniBit = 11;

        // The tiles take their arguments as System V does.
        if (!Avx512BW.IsSupported || OperatingSystem.IsWindows() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            return false;
        }

        (_, _, int ecx, _) = X86Base.CpuId(7, 0);
        return (ecx >> Avx512VnniBit & 1) != 0;
    }

    private readonly struct Nibbles : ITileOutliers
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Add(byte* weights, int blocks, byte* outliers, float* y) =>
            NibbleKernel<Avx512Simd, Vector512<byte>>.AddOutliers(weights, part: 0, outliers, Vector512.Load(y).AsByte()).AsSingle().Store(y);
    }

    private readonly struct Bytes : ITileOutliers
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Add(byte* weights, int blocks, byte* outliers, float* y) =>
            ByteKernel<Avx512Simd, Vector512<byte>>.AddOutliers(weights, part: 0, blocks, outliers, Vector512.Load(y).AsByte()).AsSingle().Store(y);
    }
}
