using System.Runtime.CompilerServices;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels.Panels;

/// <summary>
/// Indices of FP4's doubled values, 12 added to make them unsigned (<see cref="OffsetBy12"/>): 24 · 127 · 8 = 24,384 of half a block stays within 16 bits.
/// </summary>
internal readonly unsafe struct Fp4Quants<TSimd, TRegister> : IBlockQuants<Fp4Quants<TSimd, TRegister>, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    private readonly QuadRegisters<TSimd, TRegister> _quads;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Fp4Quants(QuadRegisters<TSimd, TRegister> quads) => _quads = quads;

    public static int ByteCount => 4 * QuadPlanes.BitBytes;

    private static TRegister Codes => TSimd.Table([12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Fp4Quants<TSimd, TRegister> Load(byte* planes)
    {
        TRegister codes = Codes;
        return new(NibbleQuants<TSimd, TRegister>.Load(planes).LookUp(codes));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister Dot(byte* x) => TSimd.AddInt32(TSimd.AddPairs(_quads.FirstHalf(x)), TSimd.AddPairs(_quads.SecondHalf(x)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRegister Dot(byte* planes, int quad, byte* x)
    {
        TRegister codes = TSimd.LookUp(Codes, NibbleQuants<TSimd, TRegister>.Quad(planes, quad));
        return TSimd.AddPairs(TSimd.MultiplyAddBytes(codes, TSimd.BroadcastQuad(x)));
    }
}

/// <summary>
/// Indices of the table of IQ4_NL. With 128 added to make it unsigned (<see cref="OffsetBy128"/>) a code needs 8 bits, too many for two products to be added in
/// 16: its upper and its lower nibble are multiplied apart, each as exact as <see cref="NibbleQuants{TSimd, TRegister}"/>.
/// </summary>
internal readonly unsafe struct NonLinearQuants<TSimd, TRegister> : IBlockQuants<NonLinearQuants<TSimd, TRegister>, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    private readonly QuadRegisters<TSimd, TRegister> _high, _low;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private NonLinearQuants(QuadRegisters<TSimd, TRegister> high, QuadRegisters<TSimd, TRegister> low) => (_high, _low) = (high, low);

    public static int ByteCount => 4 * QuadPlanes.BitBytes;

    private static TRegister HighNibbles => TSimd.Table([0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12, 13, 15]);

    private static TRegister LowNibbles => TSimd.Table([1, 8, 13, 15, 15, 13, 10, 6, 1, 13, 9, 6, 5, 5, 9, 1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static NonLinearQuants<TSimd, TRegister> Load(byte* planes)
    {
        NibbleQuants<TSimd, TRegister> indices = NibbleQuants<TSimd, TRegister>.Load(planes);
        return new(indices.LookUp(HighNibbles), indices.LookUp(LowNibbles));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister Dot(byte* x) => Join(_high.All(x), _low.All(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRegister Dot(byte* planes, int quad, byte* x)
    {
        TRegister indices = NibbleQuants<TSimd, TRegister>.Quad(planes, quad);
        TRegister values = TSimd.BroadcastQuad(x);
        return Join(
            TSimd.MultiplyAddBytes(TSimd.LookUp(HighNibbles, indices), values),
            TSimd.MultiplyAddBytes(TSimd.LookUp(LowNibbles, indices), values));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRegister Join(TRegister high, TRegister low) =>
        TSimd.AddInt32(TSimd.MultiplyAddInt16(high, TSimd.Repeat((short)16)), TSimd.AddPairs(low));
}
