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
            float* from = a;
            float* to = c + column;
            int left = rows;
            for (; left >= 4; left -= 4, from += 4 * aStride, to += 4 * cStride)
            {
                Rows4(from, aStride, b + column, bStride, depth, to, cStride, accumulate);
            }

            if (left == 3)
            {
                Rows3(from, aStride, b + column, bStride, depth, to, cStride, accumulate);
            }
            else if (left == 2)
            {
                Rows2(from, aStride, b + column, bStride, depth, to, cStride, accumulate);
            }
            else if (left == 1)
            {
                Rows1(from, b + column, bStride, depth, to, accumulate);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows4(float* a, int aStride, float* b, int bStride, int depth, float* c, int cStride, bool accumulate)
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
        for (int i = 0; i < depth; i++, b += bStride)
        {
            TRegister b0 = TSimd.Load((byte*)b), b1 = TSimd.Load((byte*)(b + TSimd.Outputs));
            TRegister x = TSimd.Broadcast(a[i]);
            s00 = TSimd.FusedMultiplyAdd(x, b0, s00);
            s01 = TSimd.FusedMultiplyAdd(x, b1, s01);
            x = TSimd.Broadcast(a1[i]);
            s10 = TSimd.FusedMultiplyAdd(x, b0, s10);
            s11 = TSimd.FusedMultiplyAdd(x, b1, s11);
            x = TSimd.Broadcast(a2[i]);
            s20 = TSimd.FusedMultiplyAdd(x, b0, s20);
            s21 = TSimd.FusedMultiplyAdd(x, b1, s21);
            x = TSimd.Broadcast(a3[i]);
            s30 = TSimd.FusedMultiplyAdd(x, b0, s30);
            s31 = TSimd.FusedMultiplyAdd(x, b1, s31);
        }

        Store(s00, s01, c);
        Store(s10, s11, c1);
        Store(s20, s21, c2);
        Store(s30, s31, c3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows3(float* a, int aStride, float* b, int bStride, int depth, float* c, int cStride, bool accumulate)
    {
        float* a1 = a + aStride;
        float* a2 = a1 + aStride;
        float* c1 = c + cStride;
        float* c2 = c1 + cStride;
        TRegister s00 = Start(c, accumulate), s01 = Start(c + TSimd.Outputs, accumulate);
        TRegister s10 = Start(c1, accumulate), s11 = Start(c1 + TSimd.Outputs, accumulate);
        TRegister s20 = Start(c2, accumulate), s21 = Start(c2 + TSimd.Outputs, accumulate);
        for (int i = 0; i < depth; i++, b += bStride)
        {
            TRegister b0 = TSimd.Load((byte*)b), b1 = TSimd.Load((byte*)(b + TSimd.Outputs));
            TRegister x = TSimd.Broadcast(a[i]);
            s00 = TSimd.FusedMultiplyAdd(x, b0, s00);
            s01 = TSimd.FusedMultiplyAdd(x, b1, s01);
            x = TSimd.Broadcast(a1[i]);
            s10 = TSimd.FusedMultiplyAdd(x, b0, s10);
            s11 = TSimd.FusedMultiplyAdd(x, b1, s11);
            x = TSimd.Broadcast(a2[i]);
            s20 = TSimd.FusedMultiplyAdd(x, b0, s20);
            s21 = TSimd.FusedMultiplyAdd(x, b1, s21);
        }

        Store(s00, s01, c);
        Store(s10, s11, c1);
        Store(s20, s21, c2);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows2(float* a, int aStride, float* b, int bStride, int depth, float* c, int cStride, bool accumulate)
    {
        float* a1 = a + aStride;
        float* c1 = c + cStride;
        TRegister s00 = Start(c, accumulate), s01 = Start(c + TSimd.Outputs, accumulate);
        TRegister s10 = Start(c1, accumulate), s11 = Start(c1 + TSimd.Outputs, accumulate);
        for (int i = 0; i < depth; i++, b += bStride)
        {
            TRegister b0 = TSimd.Load((byte*)b), b1 = TSimd.Load((byte*)(b + TSimd.Outputs));
            TRegister x = TSimd.Broadcast(a[i]);
            s00 = TSimd.FusedMultiplyAdd(x, b0, s00);
            s01 = TSimd.FusedMultiplyAdd(x, b1, s01);
            x = TSimd.Broadcast(a1[i]);
            s10 = TSimd.FusedMultiplyAdd(x, b0, s10);
            s11 = TSimd.FusedMultiplyAdd(x, b1, s11);
        }

        Store(s00, s01, c);
        Store(s10, s11, c1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1(float* a, float* b, int bStride, int depth, float* c, bool accumulate)
    {
        TRegister s0 = Start(c, accumulate), s1 = Start(c + TSimd.Outputs, accumulate);
        for (int i = 0; i < depth; i++, b += bStride)
        {
            TRegister x = TSimd.Broadcast(a[i]);
            s0 = TSimd.FusedMultiplyAdd(x, TSimd.Load((byte*)b), s0);
            s1 = TSimd.FusedMultiplyAdd(x, TSimd.Load((byte*)(b + TSimd.Outputs)), s1);
        }

        Store(s0, s1, c);
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
