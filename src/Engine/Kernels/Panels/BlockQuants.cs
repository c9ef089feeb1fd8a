using System.Runtime.CompilerServices;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels.Panels;

/// <summary>Quants of 4 bits: 15 · 127 · 16 = 30,480 stays within 16 bits.</summary>
internal readonly unsafe struct NibbleQuants<TSimd, TRegister> : IBlockQuants<NibbleQuants<TSimd, TRegister>, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    private readonly QuadRegisters<TSimd, TRegister> _quads;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private NibbleQuants(QuadRegisters<TSimd, TRegister> quads) => _quads = quads;

    public static int ByteCount => 4 * QuadPlanes.BitBytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static NibbleQuants<TSimd, TRegister> Load(byte* planes)
    {
        TRegister a = TSimd.Load(planes);
        TRegister b = TSimd.Load(planes + QuadPlanes.RegisterBytes);
        TRegister c = TSimd.Load(planes + (2 * QuadPlanes.RegisterBytes));
        TRegister d = TSimd.Load(planes + (3 * QuadPlanes.RegisterBytes));
        return new(new(
            TSimd.LowNibbles(a), TSimd.HighNibbles(a), TSimd.LowNibbles(b), TSimd.HighNibbles(b),
            TSimd.LowNibbles(c), TSimd.HighNibbles(c), TSimd.LowNibbles(d), TSimd.HighNibbles(d)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister Dot(byte* x) => TSimd.AddPairs(_quads.All(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRegister Dot(byte* planes, int quad, byte* x) => TSimd.AddPairs(TSimd.MultiplyAddBytes(Quad(planes, quad), TSimd.BroadcastQuad(x)));

    /// <summary>The bytes of a table at the places that the quants name.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public QuadRegisters<TSimd, TRegister> LookUp(TRegister table) => _quads.LookUp(table);

    /// <summary>One quad of a plane of nibbles.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRegister Quad(byte* planes, int quad) =>
        TSimd.LowNibbles(TSimd.ShiftRight(TSimd.Load(planes + (quad / 2 * QuadPlanes.RegisterBytes)), quad % 2 * 4));
}

/// <summary>Quants of 5 bits, the fifth in a plane of its own: 31 · 127 · 8 = 31,496 of half a block stays within 16 bits.</summary>
internal readonly unsafe struct FiveBitQuants<TSimd, TRegister> : IBlockQuants<FiveBitQuants<TSimd, TRegister>, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    private const int HighOffset = 4 * QuadPlanes.BitBytes;
    private const byte FifthBit = 16;

    private readonly QuadRegisters<TSimd, TRegister> _quads;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private FiveBitQuants(QuadRegisters<TSimd, TRegister> quads) => _quads = quads;

    public static int ByteCount => 5 * QuadPlanes.BitBytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FiveBitQuants<TSimd, TRegister> Load(byte* planes)
    {
        TRegister high = TSimd.Load(planes + HighOffset);
        TRegister a = TSimd.Load(planes);
        TRegister b = TSimd.Load(planes + QuadPlanes.RegisterBytes);
        TRegister c = TSimd.Load(planes + (2 * QuadPlanes.RegisterBytes));
        TRegister d = TSimd.Load(planes + (3 * QuadPlanes.RegisterBytes));
        return new(new(
            With(TSimd.LowNibbles(a), TSimd.ShiftLeft(high, 4)),
            With(TSimd.HighNibbles(a), TSimd.ShiftLeft(high, 3)),
            With(TSimd.LowNibbles(b), TSimd.ShiftLeft(high, 2)),
            With(TSimd.HighNibbles(b), TSimd.ShiftLeft(high, 1)),
            With(TSimd.LowNibbles(c), high),
            With(TSimd.HighNibbles(c), TSimd.ShiftRight(high, 1)),
            With(TSimd.LowNibbles(d), TSimd.ShiftRight(high, 2)),
            With(TSimd.HighNibbles(d), TSimd.ShiftRight(high, 3))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister Dot(byte* x) => TSimd.AddInt32(TSimd.AddPairs(_quads.FirstHalf(x)), TSimd.AddPairs(_quads.SecondHalf(x)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRegister Dot(byte* planes, int quad, byte* x)
    {
        // Below the mask first: bits that a shift moves into the neighbouring byte must not be lost from this one.
        TRegister high = TSimd.ShiftLeft(TSimd.And(TSimd.ShiftRight(TSimd.Load(planes + HighOffset), quad), TSimd.Repeat((byte)1)), 4);
        TRegister quants = With(NibbleQuants<TSimd, TRegister>.Quad(planes, quad), high);
        return TSimd.AddPairs(TSimd.MultiplyAddBytes(quants, TSimd.BroadcastQuad(x)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRegister With(TRegister low, TRegister high) => TSimd.Or(low, TSimd.And(high, TSimd.Repeat(FifthBit)));
}
