using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Serving.Engine.Kernels.Simd;

internal readonly unsafe partial struct Avx2Simd
{
    private static Vector256<byte> FirstTwice =>
        Vector256.Create(0x0504_0504_0100_0100L, 0x0d0c_0d0c_0908_0908L, 0x0504_0504_0100_0100L, 0x0d0c_0d0c_0908_0908L).AsByte();

    private static Vector256<byte> SecondTwice => FirstTwice | Vector256.Create((byte)2);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Repeat(byte value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Repeat(short value) => Vector256.Create(value).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> And(Vector256<byte> a, Vector256<byte> b) => a & b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Or(Vector256<byte> a, Vector256<byte> b) => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> ShiftLeft(Vector256<byte> shorts, int bits) => (shorts.AsUInt16() << bits).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> ShiftRight(Vector256<byte> shorts, int bits) => (shorts.AsUInt16() >>> bits).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Table(ReadOnlySpan<byte> table)
    {
        Vector128<byte> once = Vector128.Create(table);
        return Vector256.Create(once, once);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> LookUp(Vector256<byte> table, Vector256<byte> indices) => Avx2.Shuffle(table, indices);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> LoadBytes(byte* source) => Avx2.ConvertToVector256Int32(source).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> LoadSignedBytes(byte* source) => Avx2.ConvertToVector256Int32((sbyte*)source).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> LoadSignedBytePairs(byte* source) => Avx2.ConvertToVector256Int16((sbyte*)source).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> RepeatFirst(Vector256<byte> shorts) => Avx2.Shuffle(shorts, FirstTwice);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> RepeatSecond(Vector256<byte> shorts) => Avx2.Shuffle(shorts, SecondTwice);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> MultiplyAddInt16(Vector256<byte> a, Vector256<byte> b) => Avx2.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> SubtractInt32(Vector256<byte> a, Vector256<byte> b) => (a.AsInt32() - b.AsInt32()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> LoadBrain(short* source) => (Avx2.ConvertToVector256Int32(source) << 16).AsByte();
}
