using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Kernels;

/// <summary>A format without blocks, read where it lies: any address will do. Every value is widened to the exact fp32.</summary>
internal unsafe interface IFloatFormat
{
    /// <summary>Bytes of an element.</summary>
    static abstract int ByteCount { get; }

    /// <summary>Eight elements that lie side by side.</summary>
    static abstract Vector256<float> LoadEight(byte* source);

    static abstract float Load(byte* source);
}

/// <summary>IEEE single precision.</summary>
internal readonly unsafe struct SingleFormat : IFloatFormat
{
    public static int ByteCount => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadEight(byte* source) => Vector256.Load((float*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* source) => Unsafe.ReadUnaligned<float>(source);
}

/// <summary>IEEE half precision; weights are finite.</summary>
internal readonly unsafe struct HalfFormat : IFloatFormat
{
    public static int ByteCount => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadEight(byte* source) => HalfBits.ToSingle(Vector128.Load((short*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* source) => HalfBits.ToSingle(Unsafe.ReadUnaligned<ushort>(source));
}

/// <summary>bfloat16: the upper half of a single.</summary>
internal readonly unsafe struct BrainFormat : IFloatFormat
{
    public static int ByteCount => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadEight(byte* source) =>
        (Vector256.WidenLower(Vector128.Load((ushort*)source).ToVector256Unsafe()) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* source) => BitConverter.UInt32BitsToSingle((uint)Unsafe.ReadUnaligned<ushort>(source) << 16);
}
