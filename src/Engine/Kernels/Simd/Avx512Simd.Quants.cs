using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Serving.Engine.Kernels.Simd;

internal readonly unsafe partial struct Avx512Simd
{
    private static Vector512<byte> FirstTwice => Vector512.Create(
        0x0504_0504_0100_0100L, 0x0d0c_0d0c_0908_0908L, 0x0504_0504_0100_0100L, 0x0d0c_0d0c_0908_0908L,
        0x0504_0504_0100_0100L, 0x0d0c_0d0c_0908_0908L, 0x0504_0504_0100_0100L, 0x0d0c_0d0c_0908_0908L).AsByte();

    private static Vector512<byte> SecondTwice => FirstTwice | Vector512.Create((byte)2);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Repeat(byte value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Repeat(short value) => Vector512.Create(value).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> And(Vector512<byte> a, Vector512<byte> b) => a & b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Or(Vector512<byte> a, Vector512<byte> b) => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> ShiftLeft(Vector512<byte> shorts, int bits) => (shorts.AsUInt16() << bits).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> ShiftRight(Vector512<byte> shorts, int bits) => (shorts.AsUInt16() >>> bits).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Table(ReadOnlySpan<byte> table)
    {
        Vector128<byte> once = Vector128.Create(table);
        Vector256<byte> twice = Vector256.Create(once, once);
        return Vector512.Create(twice, twice);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> LookUp(Vector512<byte> table, Vector512<byte> indices) => Avx512BW.Shuffle(table, indices);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> LoadBytes(byte* source) => Avx512F.ConvertToVector512Int32(Vector128.Load(source)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> LoadSignedBytes(byte* source) => Avx512F.ConvertToVector512Int32(Vector128.Load((sbyte*)source)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> LoadSignedBytePairs(byte* source) => Avx512BW.ConvertToVector512Int16(Vector256.Load((sbyte*)source)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> RepeatFirst(Vector512<byte> shorts) => Avx512BW.Shuffle(shorts, FirstTwice);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> RepeatSecond(Vector512<byte> shorts) => Avx512BW.Shuffle(shorts, SecondTwice);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> MultiplyAddInt16(Vector512<byte> a, Vector512<byte> b) => Avx512BW.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> SubtractInt32(Vector512<byte> a, Vector512<byte> b) => (a.AsInt32() - b.AsInt32()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> LoadBrain(short* source) => (Avx512F.ConvertToVector512Int32(Vector256.Load(source)) << 16).AsByte();
}
