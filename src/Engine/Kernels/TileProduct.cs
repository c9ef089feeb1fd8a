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
        TileStripWork strip = new()
        {
            A = a,
            AStride = aStride * sizeof(float),
            BStride = bStride * sizeof(float),
            Depth = depth,
            CStride = cStride * sizeof(float),
        };
        for (int column = 0; column < columns; column += 2 * TSimd.Outputs)
        {
            strip.B0 = (byte*)(b + column);
            strip.B1 = (byte*)(b + column + TSimd.Outputs);
            strip.C = c + column;
            RunStrip<SingleNumber<TSimd, TRegister>>(in strip, rows, accumulate);
        }
    }

    /// <summary><see cref="ITileStrip.Run"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunStrip<TNumber>(in TileStripWork work, int rows, bool accumulate)
        where TNumber : struct, ITileNumber<TRegister>
    {
        TileStripWork left = work;
        for (; rows >= 4; rows -= 4)
        {
            Rows4<TNumber>(in left, accumulate);
            left.A = (float*)((byte*)left.A + (4 * left.AStride));
            left.C = (float*)((byte*)left.C + (4 * left.CStride));
        }

        if (rows == 3)
        {
            Rows3<TNumber>(in left, accumulate);
        }
        else if (rows == 2)
        {
            Rows2<TNumber>(in left, accumulate);
        }
        else if (rows == 1)
        {
            Rows1<TNumber>(in left, accumulate);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows4<TNumber>(in TileStripWork work, bool accumulate)
        where TNumber : struct, ITileNumber<TRegister>
    {
        byte* b0 = work.B0, b1 = work.B1;
        nint ahead0 = work.Ahead0, ahead1 = work.Ahead1, bStride = work.BStride, depth = work.Depth;
        float* a = work.A, c = work.C;
        float* a1 = Next(a, work.AStride), c1 = Next(c, work.CStride);
        float* a2 = Next(a1, work.AStride), c2 = Next(c1, work.CStride);
        float* a3 = Next(a2, work.AStride), c3 = Next(c2, work.CStride);
        TRegister s00 = Start(c, accumulate), s01 = Start(c + TSimd.Outputs, accumulate);
        TRegister s10 = Start(c1, accumulate), s11 = Start(c1 + TSimd.Outputs, accumulate);
        TRegister s20 = Start(c2, accumulate), s21 = Start(c2 + TSimd.Outputs, accumulate);
        TRegister s30 = Start(c3, accumulate), s31 = Start(c3 + TSimd.Outputs, accumulate);
        for (nint i = 0; i < depth; i++, b0 += bStride, b1 += bStride)
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
    private static void Rows3<TNumber>(in TileStripWork work, bool accumulate)
        where TNumber : struct, ITileNumber<TRegister>
    {
        byte* b0 = work.B0, b1 = work.B1;
        nint ahead0 = work.Ahead0, ahead1 = work.Ahead1, bStride = work.BStride, depth = work.Depth;
        float* a = work.A, c = work.C;
        float* a1 = Next(a, work.AStride), c1 = Next(c, work.CStride);
        float* a2 = Next(a1, work.AStride), c2 = Next(c1, work.CStride);
        TRegister s00 = Start(c, accumulate), s01 = Start(c + TSimd.Outputs, accumulate);
        TRegister s10 = Start(c1, accumulate), s11 = Start(c1 + TSimd.Outputs, accumulate);
        TRegister s20 = Start(c2, accumulate), s21 = Start(c2 + TSimd.Outputs, accumulate);
        for (nint i = 0; i < depth; i++, b0 += bStride, b1 += bStride)
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
    private static void Rows2<TNumber>(in TileStripWork work, bool accumulate)
        where TNumber : struct, ITileNumber<TRegister>
    {
        byte* b0 = work.B0, b1 = work.B1;
        nint ahead0 = work.Ahead0, ahead1 = work.Ahead1, bStride = work.BStride, depth = work.Depth;
        float* a = work.A, c = work.C;
        float* a1 = Next(a, work.AStride), c1 = Next(c, work.CStride);
        TRegister s00 = Start(c, accumulate), s01 = Start(c + TSimd.Outputs, accumulate);
        TRegister s10 = Start(c1, accumulate), s11 = Start(c1 + TSimd.Outputs, accumulate);
        for (nint i = 0; i < depth; i++, b0 += bStride, b1 += bStride)
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
    private static void Rows1<TNumber>(in TileStripWork work, bool accumulate)
        where TNumber : struct, ITileNumber<TRegister>
    {
        byte* b0 = work.B0, b1 = work.B1;
        nint ahead0 = work.Ahead0, ahead1 = work.Ahead1, bStride = work.BStride, depth = work.Depth;
        float* a = work.A, c = work.C;
        TRegister s00 = Start(c, accumulate), s01 = Start(c + TSimd.Outputs, accumulate);
        for (nint i = 0; i < depth; i++, b0 += bStride, b1 += bStride)
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
    private static float* Next(float* row, nint stride) => (float*)((byte*)row + stride);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRegister Start(float* c, bool accumulate) => accumulate ? TSimd.Load((byte*)c) : TSimd.Broadcast(0f);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(TRegister s0, TRegister s1, float* c)
    {
        TSimd.Store(s0, c);
        TSimd.Store(s1, c + TSimd.Outputs);
    }
}
