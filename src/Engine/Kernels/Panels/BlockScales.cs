using System.Runtime.CompilerServices;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels.Panels;

/// <summary>A scale in half precision for each block; the minimum follows from the offset. The header: 16 halves.</summary>
internal readonly unsafe struct HalfScales<TSimd, TRegister, TOffset> : IBlockScales<TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
    where TOffset : struct, IOffset
{
    public static int GroupBlocks => 1;

    public static int HeaderBytes => PanelProduct.PanelOutputs * sizeof(short);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* header, int index, int part, out TRegister scale, out TRegister minimum)
    {
        scale = TSimd.LoadHalf((short*)header + part);
        minimum = TSimd.Multiply(scale, TSimd.Broadcast(-TOffset.Value));
    }
}

/// <summary>A scale and a minimum in half precision for each block. The header: 16 scales, 16 minima.</summary>
internal readonly unsafe struct HalfMinimumScales<TSimd, TRegister> : IBlockScales<TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    public static int GroupBlocks => 1;

    public static int HeaderBytes => 2 * PanelProduct.PanelOutputs * sizeof(short);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* header, int index, int part, out TRegister scale, out TRegister minimum)
    {
        scale = TSimd.LoadHalf((short*)header + part);
        minimum = TSimd.LoadHalf((short*)header + PanelProduct.PanelOutputs + part);
    }
}

/// <summary>A power of two for each block, as bfloat16; the minimum follows from the offset. The header: 16 powers.</summary>
internal readonly unsafe struct PowerScales<TSimd, TRegister, TOffset> : IBlockScales<TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
    where TOffset : struct, IOffset
{
    public static int GroupBlocks => 1;

    public static int HeaderBytes => PanelProduct.PanelOutputs * sizeof(short);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* header, int index, int part, out TRegister scale, out TRegister minimum)
    {
        scale = TSimd.LoadBrain((short*)header + part);
        minimum = TSimd.Multiply(scale, TSimd.Broadcast(-TOffset.Value));
    }
}

/// <summary>
/// For eight blocks a scale and a negated minimum in single precision, and for each block whole multiples of both, unsigned bytes. A half's 11 bits times 6
/// fit a float: the products are exact. The header: 16 scales, 16 minima; for each block 16 multiples of the scales, 16 of the minima.
/// </summary>
internal readonly unsafe struct SuperMinimumScales<TSimd, TRegister> : IBlockScales<TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    public static int GroupBlocks => 8;

    public static int HeaderBytes => PanelProduct.PanelOutputs * ((2 * sizeof(float)) + (2 * GroupBlocks));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* header, int index, int part, out TRegister scale, out TRegister minimum)
    {
        TRegister groupScale = TSimd.Load(header + (part * sizeof(float)));
        TRegister groupMinimum = TSimd.Load(header + ((PanelProduct.PanelOutputs + part) * sizeof(float)));
        byte* multiples = header + (PanelProduct.PanelOutputs * ((2 * sizeof(float)) + (2 * index))) + part;
        scale = TSimd.Multiply(groupScale, TSimd.ToSingle(TSimd.LoadBytes(multiples)));
        minimum = TSimd.Multiply(groupMinimum, TSimd.ToSingle(TSimd.LoadBytes(multiples + PanelProduct.PanelOutputs)));
    }
}

/// <summary>
/// For eight blocks a scale in single precision, and for each block a whole multiple of it, a signed byte; the minimum follows from the offset. The header:
/// 16 scales, then for each block 16 multiples.
/// </summary>
internal readonly unsafe struct SuperScales<TSimd, TRegister, TOffset> : IBlockScales<TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
    where TOffset : struct, IOffset
{
    public static int GroupBlocks => 8;

    public static int HeaderBytes => PanelProduct.PanelOutputs * (sizeof(float) + GroupBlocks);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* header, int index, int part, out TRegister scale, out TRegister minimum)
    {
        byte* multiples = header + (PanelProduct.PanelOutputs * (sizeof(float) + index)) + part;
        scale = TSimd.Multiply(TSimd.Load(header + (part * sizeof(float))), TSimd.ToSingle(TSimd.LoadSignedBytes(multiples)));
        minimum = TSimd.Multiply(scale, TSimd.Broadcast(-TOffset.Value));
    }
}
