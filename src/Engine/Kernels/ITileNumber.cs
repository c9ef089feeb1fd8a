using System.Runtime.CompilerServices;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels;

/// <summary>How a matrix of <see cref="TileProduct{TSimd, TRegister}"/> stores its numbers.</summary>
internal unsafe interface ITileNumber<TRegister>
    where TRegister : struct
{
    /// <summary>Bytes of a number.</summary>
    static abstract int Bytes { get; }

    /// <summary>One number an output, as fp32.</summary>
    static abstract TRegister Load(byte* source);
}

internal readonly unsafe struct SingleNumber<TSimd, TRegister> : ITileNumber<TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    public static int Bytes => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRegister Load(byte* source) => TSimd.Load(source);
}

internal readonly unsafe struct HalfNumber<TSimd, TRegister> : ITileNumber<TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    public static int Bytes => sizeof(short);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRegister Load(byte* source) => TSimd.LoadHalf((short*)source);
}

internal readonly unsafe struct SByteNumber<TSimd, TRegister> : ITileNumber<TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    public static int Bytes => sizeof(sbyte);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRegister Load(byte* source) => TSimd.LoadSByte((sbyte*)source);
}
