using System.Runtime.CompilerServices;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels;

/// <summary>Products of a few rows with the columns of two registers, of a matrix that is stored by narrow numbers and widened as it is read.</summary>
internal unsafe interface ITileStrip
{
    /// <summary>Bytes of a number of B.</summary>
    static abstract int NumberBytes { get; }

    /// <summary><c>C = A · B</c> or <c>C += A · B</c> for the columns of two registers.</summary>
    static abstract void Run(in TileStripWork work, int rows, bool accumulate);
}

/// <summary>What an <see cref="ITileStrip"/> computes. Assembled code reads it: the fields' order matters.</summary>
internal unsafe struct TileStripWork
{
    /// <summary><c>[rows, depth]</c> in fp32.</summary>
    public float* A;

    /// <summary>Bytes from one row of A to the next.</summary>
    public nint AStride;

    /// <summary>B's first register of columns.</summary>
    public byte* B0;

    /// <summary>Its second, which may lie anywhere.</summary>
    public byte* B1;

    /// <summary>Bytes from a number of the first register to what is asked for with it, for later.</summary>
    public nint Ahead0;

    /// <summary>The same for the second.</summary>
    public nint Ahead1;

    /// <summary>Bytes from one row of B to the next.</summary>
    public nint BStride;

    public nint Depth;

    /// <summary><c>[rows, columns]</c> in fp32.</summary>
    public float* C;

    /// <summary>Bytes from one row of C to the next.</summary>
    public nint CStride;
}

/// <summary>With the intrinsics of an instruction set.</summary>
internal readonly unsafe struct TileStrip<TSimd, TRegister, TNumber> : ITileStrip
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
    where TNumber : struct, ITileNumber<TRegister>
{
    public static int NumberBytes => TNumber.Bytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(in TileStripWork work, int rows, bool accumulate) => TileProduct<TSimd, TRegister>.RunStrip<TNumber>(in work, rows, accumulate);
}
