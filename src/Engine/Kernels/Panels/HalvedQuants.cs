using System.Runtime.CompilerServices;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels.Panels;

/// <summary>
/// Quants of 6 bits, the upper two in a plane of their own: 63 · 127 · 4 = 32,004 of a quarter of a block stays within 16 bits. A scaled sum of a block is at
/// most 128 · 63 · 127 · 32 = 32,772,096.
/// </summary>
internal readonly unsafe struct SixBitQuants<TSimd, TRegister> : IHalvedQuants<SixBitQuants<TSimd, TRegister>, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    private const int HighOffset = 4 * QuadPlanes.BitBytes;
    private const byte HighBits = 0x30;

    private readonly QuadRegisters<TSimd, TRegister> _quads;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private SixBitQuants(QuadRegisters<TSimd, TRegister> quads) => _quads = quads;

    public static int ByteCount => 6 * QuadPlanes.BitBytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixBitQuants<TSimd, TRegister> Load(byte* planes)
    {
        TRegister a = TSimd.Load(planes);
        TRegister b = TSimd.Load(planes + QuadPlanes.RegisterBytes);
        TRegister c = TSimd.Load(planes + (2 * QuadPlanes.RegisterBytes));
        TRegister d = TSimd.Load(planes + (3 * QuadPlanes.RegisterBytes));
        TRegister first = TSimd.Load(planes + HighOffset);
        TRegister second = TSimd.Load(planes + HighOffset + QuadPlanes.RegisterBytes);
        return new(new(
            With(TSimd.LowNibbles(a), TSimd.ShiftLeft(first, 4)),
            With(TSimd.HighNibbles(a), TSimd.ShiftLeft(first, 2)),
            With(TSimd.LowNibbles(b), first),
            With(TSimd.HighNibbles(b), TSimd.ShiftRight(first, 2)),
            With(TSimd.LowNibbles(c), TSimd.ShiftLeft(second, 4)),
            With(TSimd.HighNibbles(c), TSimd.ShiftLeft(second, 2)),
            With(TSimd.LowNibbles(d), second),
            With(TSimd.HighNibbles(d), TSimd.ShiftRight(second, 2))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister Dot(byte* x, TRegister first, TRegister second) => TSimd.AddInt32(
        TSimd.AddInt32(TSimd.MultiplyAddInt16(_quads.FirstQuarter(x), first), TSimd.MultiplyAddInt16(_quads.SecondQuarter(x), first)),
        TSimd.AddInt32(TSimd.MultiplyAddInt16(_quads.ThirdQuarter(x), second), TSimd.MultiplyAddInt16(_quads.FourthQuarter(x), second)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRegister Quad(byte* planes, int quad)
    {
        // The mask comes before the shift that could push bits out of the upper byte.
        TRegister high = TSimd.ShiftRight(TSimd.Load(planes + HighOffset + (quad / 4 * QuadPlanes.RegisterBytes)), quad % 4 * 2);
        return TSimd.Or(NibbleQuants<TSimd, TRegister>.Quad(planes, quad), TSimd.ShiftLeft(TSimd.And(high, TSimd.Repeat((byte)3)), 4));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRegister With(TRegister low, TRegister high) => TSimd.Or(low, TSimd.And(high, TSimd.Repeat(HighBits)));
}

/// <summary>Quants of 3 bits, the third in a plane of its own; the sums of 16 stay far within 16 bits.</summary>
internal readonly unsafe struct ThreeBitQuants<TSimd, TRegister> : IHalvedQuants<ThreeBitQuants<TSimd, TRegister>, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    private const int HighOffset = 2 * QuadPlanes.BitBytes;
    private const byte ThirdBit = 4;

    private readonly QuadRegisters<TSimd, TRegister> _quads;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ThreeBitQuants(QuadRegisters<TSimd, TRegister> quads) => _quads = quads;

    public static int ByteCount => 3 * QuadPlanes.BitBytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ThreeBitQuants<TSimd, TRegister> Load(byte* planes)
    {
        TRegister high = TSimd.Load(planes + HighOffset);
        TRegister a = TSimd.Load(planes);
        TRegister b = TSimd.Load(planes + QuadPlanes.RegisterBytes);
        return new(new(
            With(a, TSimd.ShiftLeft(high, 2)),
            With(TSimd.ShiftRight(a, 2), TSimd.ShiftLeft(high, 1)),
            With(TSimd.ShiftRight(a, 4), high),
            With(TSimd.ShiftRight(a, 6), TSimd.ShiftRight(high, 1)),
            With(b, TSimd.ShiftRight(high, 2)),
            With(TSimd.ShiftRight(b, 2), TSimd.ShiftRight(high, 3)),
            With(TSimd.ShiftRight(b, 4), TSimd.ShiftRight(high, 4)),
            With(TSimd.ShiftRight(b, 6), TSimd.ShiftRight(high, 5))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister Dot(byte* x, TRegister first, TRegister second) => TSimd.AddInt32(
        TSimd.MultiplyAddInt16(_quads.FirstHalf(x), first),
        TSimd.MultiplyAddInt16(_quads.SecondHalf(x), second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRegister Quad(byte* planes, int quad)
    {
        TRegister high = TSimd.And(TSimd.ShiftRight(TSimd.Load(planes + HighOffset), quad), TSimd.Repeat((byte)1));
        return With(TwoBitQuants<TSimd, TRegister>.Quad(planes, quad), TSimd.ShiftLeft(high, 2));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRegister With(TRegister low, TRegister high) =>
        TSimd.Or(TSimd.And(low, TSimd.Repeat(TwoBitQuants<TSimd, TRegister>.Mask)), TSimd.And(high, TSimd.Repeat(ThirdBit)));
}

/// <summary>Quants of 2 bits; the sums of 16 stay far within 16 bits.</summary>
internal readonly unsafe struct TwoBitQuants<TSimd, TRegister> : IHalvedQuants<TwoBitQuants<TSimd, TRegister>, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    public const byte Mask = 3;

    private readonly QuadRegisters<TSimd, TRegister> _quads;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TwoBitQuants(QuadRegisters<TSimd, TRegister> quads) => _quads = quads;

    public static int ByteCount => 2 * QuadPlanes.BitBytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TwoBitQuants<TSimd, TRegister> Load(byte* planes)
    {
        TRegister a = TSimd.Load(planes);
        TRegister b = TSimd.Load(planes + QuadPlanes.RegisterBytes);
        return new(new(
            Low(a), Low(TSimd.ShiftRight(a, 2)), Low(TSimd.ShiftRight(a, 4)), Low(TSimd.ShiftRight(a, 6)),
            Low(b), Low(TSimd.ShiftRight(b, 2)), Low(TSimd.ShiftRight(b, 4)), Low(TSimd.ShiftRight(b, 6))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister Dot(byte* x, TRegister first, TRegister second) => TSimd.AddInt32(
        TSimd.MultiplyAddInt16(_quads.FirstHalf(x), first),
        TSimd.MultiplyAddInt16(_quads.SecondHalf(x), second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRegister Quad(byte* planes, int quad) =>
        Low(TSimd.ShiftRight(TSimd.Load(planes + (quad / 4 * QuadPlanes.RegisterBytes)), quad % 4 * 2));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRegister Low(TRegister register) => TSimd.And(register, TSimd.Repeat(Mask));
}
