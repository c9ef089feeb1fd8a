using System.Runtime.CompilerServices;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels;

/// <summary>
/// Products of small fp32 matrices in the cache, all row by row: <c>C = A · B</c> or <c>C += A · B</c>. Each element of C is one chain of fused multiply-adds
/// in the order of the depth, whatever the registers' width and the number of rows.
/// </summary>
internal static unsafe class TileProduct<TSimd, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    /// <param name="a"><c>[rows, depth]</c>.</param>
    /// <param name="b"><c>[depth, columns]</c>.</param>
    /// <param name="c"><c>[rows, columns]</c>.</param>
    /// <param name="columns">A multiple of 32.</param>
    /// <param name="accumulate">Whether C's present values begin the chains, or zeros.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* a, int aStride, float* b, int bStride, int depth, float* c, int cStride, int rows, int columns, bool accumulate)
    {
        for (int column = 0; column < columns; column += 2 * TSimd.Outputs)
        {
            byte* strip = (byte*)(b + column);
            RunStrip<SingleNumber<TSimd, TRegister>>(
                a, aStride, strip, strip + (TSimd.Outputs * sizeof(float)), 0, 0, bStride * sizeof(float), depth, c + column, cStride, rows, accumulate);
        }
    }

    /// <summary>The columns of two registers, of a B that is stored by narrower numbers and widened as it is read.</summary>
    /// <param name="b0">B's first register of columns.</param>
    /// <param name="b1">Its second, which may lie anywhere.</param>
    /// <param name="ahead0">Bytes from a number of the first register to what is asked for with it, for later.</param>
    /// <param name="ahead1">The same for the second.</param>
    /// <param name="bStride">Bytes from one row of B to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunStrip<TNumber>(
        float* a,
        int aStride,
        byte* b0,
        byte* b1,
        nint ahead0,
        nint ahead1,
        nint bStride,
        int depth,
        float* c,
        int cStride,
        int rows,
        bool accumulate)
        where TNumber : struct, ITileNumber<TRegister>
    {
        for (; rows >= 4; rows -= 4, a += 4 * aStride, c += 4 * cStride)
        {
            Rows4<TNumber>(a, aStride, b0, b1, ahead0, ahead1, bStride, depth, c, cStride, accumulate);
        }

        if (rows == 3)
        {
            Rows3<TNumber>(a, aStride, b0, b1, ahead0, ahead1, bStride, depth, c, cStride, accumulate);
        }
        else if (rows == 2)
        {
            Rows2<TNumber>(a, aStride, b0, b1, ahead0, ahead1, bStride, depth, c, cStride, accumulate);
        }
        else if (rows == 1)
        {
            Rows1<TNumber>(a, b0, b1, ahead0, ahead1, bStride, depth, c, accumulate);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows4<TNumber>(
        float* a, int aStride, byte* b0, byte* b1, nint ahead0, nint ahead1, nint bStride, int depth, float* c, int cStride, bool accumulate)
        where TNumber : struct, ITileNumber<TRegister>
    {
        float* a1 = a + aStride;
        float* a2 = a1 + aStride;
        float* a3 = a2 + aStride;
        float* c1 = c + cStride;
        float* c2 = c1 + cStride;
        float* c3 = c2 + cStride;
        TRegister s00 = Start(c, accumulate), s01 = Start(c + TSimd.Outputs, accumulate);
        TRegister s10 = Start(c1, accumulate), s11 = Start(c1 + TSimd.Outputs, accumulate);
        TRegister s20 = Start(c2, accumulate), s21 = Start(c2 + TSimd.Outputs, accumulate);
        TRegister s30 = Start(c3, accumulate), s31 = Start(c3 + TSimd.Outputs, accumulate);
        for (int i = 0; i < depth; i++, b0 += bStride, b1 += bStride)
        {
            TSimd.Prefetch(b0 + ahead0);
            TSimd.Prefetch(b1 + ahead1);
            TRegister y0 = TNumber.Load(b0), y1 = TNumber.Load(b1);
            TRegister x = TSimd.Broadcast(a[i]);
            s00 = TSimd.FusedMultiplyAdd(x, y0, s00);
            s01 = TSimd.FusedMultiplyAdd(x, y1, s01);
            x = TSimd.Broadcast(a1[i]);
            s10 = TSimd.FusedMultiplyAdd(x, y0, s10);
            s11 = TSimd.FusedMultiplyAdd(x, y1, s11);
            x = TSimd.Broadcast(a2[i]);
            s20 = TSimd.FusedMultiplyAdd(x, y0, s20);
            s21 = TSimd.FusedMultiplyAdd(x, y1, s21);
            x = TSimd.Broadcast(a3[i]);
            s30 = TSimd.FusedMultiplyAdd(x, y0, s30);
            s31 = TSimd.FusedMultiplyAdd(x, y1, s31);
        }

        Store(s00, s01, c);
        Store(s10, s11, c1);
        Store(s20, s21, c2);
        Store(s30, s31, c3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows3<TNumber>(
        float* a, int aStride, byte* b0, byte* b1, nint ahead0, nint ahead1, nint bStride, int depth, float* c, int cStride, bool accumulate)
        where TNumber : struct, ITileNumber<TRegister>
    {
        float* a1 = a + aStride;
        float* a2 = a1 + aStride;
        float* c1 = c + cStride;
        float* c2 = c1 + cStride;
        TRegister s00 = Start(c, accumulate), s01 = Start(c + TSimd.Outputs, accumulate);
        TRegister s10 = Start(c1, accumulate), s11 = Start(c1 + TSimd.Outputs, accumulate);
        TRegister s20 = Start(c2, accumulate), s21 = Start(c2 + TSimd.Outputs, accumulate);
        for (int i = 0; i < depth; i++, b0 += bStride, b1 += bStride)
        {
            TSimd.Prefetch(b0 + ahead0);
            TSimd.Prefetch(b1 + ahead1);
            TRegister y0 = TNumber.Load(b0), y1 = TNumber.Load(b1);
            TRegister x = TSimd.Broadcast(a[i]);
            s00 = TSimd.FusedMultiplyAdd(x, y0, s00);
            s01 = TSimd.FusedMultiplyAdd(x, y1, s01);
            x = TSimd.Broadcast(a1[i]);
            s10 = TSimd.FusedMultiplyAdd(x, y0, s10);
            s11 = TSimd.FusedMultiplyAdd(x, y1, s11);
            x = TSimd.Broadcast(a2[i]);
            s20 = TSimd.FusedMultiplyAdd(x, y0, s20);
            s21 = TSimd.FusedMultiplyAdd(x, y1, s21);
        }

        Store(s00, s01, c);
        Store(s10, s11, c1);
        Store(s20, s21, c2);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows2<TNumber>(
        float* a, int aStride, byte* b0, byte* b1, nint ahead0, nint ahead1, nint bStride, int depth, float* c, int cStride, bool accumulate)
        where TNumber : struct, ITileNumber<TRegister>
    {
        float* a1 = a + aStride;
        float* c1 = c + cStride;
        TRegister s00 = Start(c, accumulate), s01 = Start(c + TSimd.Outputs, accumulate);
        TRegister s10 = Start(c1, accumulate), s11 = Start(c1 + TSimd.Outputs, accumulate);
        for (int i = 0; i < depth; i++, b0 += bStride, b1 += bStride)
        {
            TSimd.Prefetch(b0 + ahead0);
            TSimd.Prefetch(b1 + ahead1);
            TRegister y0 = TNumber.Load(b0), y1 = TNumber.Load(b1);
            TRegister x = TSimd.Broadcast(a[i]);
            s00 = TSimd.FusedMultiplyAdd(x, y0, s00);
            s01 = TSimd.FusedMultiplyAdd(x, y1, s01);
            x = TSimd.Broadcast(a1[i]);
            s10 = TSimd.FusedMultiplyAdd(x, y0, s10);
            s11 = TSimd.FusedMultiplyAdd(x, y1, s11);
        }

        Store(s00, s01, c);
        Store(s10, s11, c1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1<TNumber>(
        float* a, byte* b0, byte* b1, nint ahead0, nint ahead1, nint bStride, int depth, float* c, bool accumulate)
        where TNumber : struct, ITileNumber<TRegister>
    {
        TRegister s00 = Start(c, accumulate), s01 = Start(c + TSimd.Outputs, accumulate);
        for (int i = 0; i < depth; i++, b0 += bStride, b1 += bStride)
        {
            TSimd.Prefetch(b0 + ahead0);
            TSimd.Prefetch(b1 + ahead1);
            TRegister y0 = TNumber.Load(b0), y1 = TNumber.Load(b1);
            TRegister x = TSimd.Broadcast(a[i]);
            s00 = TSimd.FusedMultiplyAdd(x, y0, s00);
            s01 = TSimd.FusedMultiplyAdd(x, y1, s01);
        }

        Store(s00, s01, c);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRegister Start(float* c, bool accumulate) => accumulate ? TSimd.Load((byte*)c) : TSimd.Broadcast(0f);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(TRegister s0, TRegister s1, float* c)
    {
        TSimd.Store(s0, c);
        TSimd.Store(s1, c + TSimd.Outputs);
    }
}
