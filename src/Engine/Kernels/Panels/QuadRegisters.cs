using System.Runtime.CompilerServices;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels.Panels;

/// <summary>The unsigned quants of a block in eight registers, a quad in each, and their sums of products with signed activations.</summary>
internal readonly unsafe struct QuadRegisters<TSimd, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    private readonly TRegister _q0, _q1, _q2, _q3, _q4, _q5, _q6, _q7;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public QuadRegisters(TRegister q0, TRegister q1, TRegister q2, TRegister q3, TRegister q4, TRegister q5, TRegister q6, TRegister q7)
    {
        (_q0, _q1, _q2, _q3) = (q0, q1, q2, q3);
        (_q4, _q5, _q6, _q7) = (q4, q5, q6, q7);
    }

    /// <summary>The bytes of a table at the places that these quants, each below 16, name.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public QuadRegisters<TSimd, TRegister> LookUp(TRegister table) => new(
        TSimd.LookUp(table, _q0), TSimd.LookUp(table, _q1), TSimd.LookUp(table, _q2), TSimd.LookUp(table, _q3),
        TSimd.LookUp(table, _q4), TSimd.LookUp(table, _q5), TSimd.LookUp(table, _q6), TSimd.LookUp(table, _q7));

    /// <summary>16-bit sums of all quads: exact up to a quant of 16 (16 · 127 · 16 = 32,512).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister All(byte* x) => TSimd.AddInt16(FirstHalf(x), SecondHalf(x));

    /// <summary>16-bit sums of the first four quads: exact up to a quant of 32 (32 · 127 · 8 = 32,512).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister FirstHalf(byte* x) => TSimd.AddInt16(FirstQuarter(x), SecondQuarter(x));

    /// <summary>16-bit sums of the last four quads; as exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister SecondHalf(byte* x) => TSimd.AddInt16(ThirdQuarter(x), FourthQuarter(x));

    /// <summary>16-bit sums of two quads: exact up to a quant of 64 (64 · 127 · 4 = 32,512).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister FirstQuarter(byte* x) => Pair(_q0, _q1, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister SecondQuarter(byte* x) => Pair(_q2, _q3, x + 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister ThirdQuarter(byte* x) => Pair(_q4, _q5, x + 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister FourthQuarter(byte* x) => Pair(_q6, _q7, x + 24);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRegister Pair(TRegister first, TRegister second, byte* x) => TSimd.AddInt16(
        TSimd.MultiplyAddBytes(first, TSimd.BroadcastQuad(x)),
        TSimd.MultiplyAddBytes(second, TSimd.BroadcastQuad(x + QuantizedRow.QuadInputs)));
}
