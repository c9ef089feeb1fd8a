using System.Runtime.CompilerServices;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels.Panels;

/// <summary>
/// A block whose halves have 4-bit scales and minima of their own, one of eight under a scale and a negated minimum in single precision. To a row's sum it adds
/// Σ halves scale · Σ quant · x times (group scale · row scale), and Σ halves minimum · Σ x times (group minimum · row scale); both sums are exact integers.
/// The header of a group: 16 scales, 16 minima, then for each block and output a byte for each half, its scale in the lower nibble, its minimum in the upper.
/// </summary>
internal readonly unsafe struct HalvedMinimumBlock<TSimd, TRegister, TQuants> : IPanelBlock<HalvedMinimumBlock<TSimd, TRegister, TQuants>, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
    where TQuants : struct, IHalvedQuants<TQuants, TRegister>
{
    private readonly TQuants _quants;
    private readonly TRegister _scale, _minimum, _first, _second, _minima;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private HalvedMinimumBlock(TQuants quants, byte* header, int index, int part)
    {
        _quants = quants;
        _scale = Scale(header, part);
        _minimum = Minimum(header, part);
        TRegister packed = Packed(header, index, part);
        TRegister scales = Scales(packed);
        _first = TSimd.RepeatFirst(scales);
        _second = TSimd.RepeatSecond(scales);
        _minima = Minima(packed);
    }

    public static int GroupBlocks => 8;

    public static int HeaderBytes => PanelProduct.PanelOutputs * ((2 * sizeof(float)) + (2 * GroupBlocks));

    public static int QuantBytes => TQuants.ByteCount;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static HalvedMinimumBlock<TSimd, TRegister, TQuants> Load(byte* header, int index, byte* quants, int part) =>
        new(TQuants.Load(quants + (part * QuantizedRow.QuadInputs)), header, index, part);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister Add(byte* x, TRegister sum)
    {
        TRegister minima = TSimd.MultiplyAddInt16(_minima, TSimd.BroadcastQuad(x + QuantizedRow.HalfSumsOffset));
        TRegister rowScale = TSimd.Broadcast(*(float*)(x + QuantizedRow.ScaleOffset));
        sum = TSimd.FusedMultiplyAdd(TSimd.ToSingle(_quants.Dot(x, _first, _second)), TSimd.Multiply(_scale, rowScale), sum);
        return TSimd.FusedMultiplyAdd(TSimd.ToSingle(minima), TSimd.Multiply(_minimum, rowScale), sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRegister AddOutlier(byte* header, int index, byte* quants, int part, int quad, byte* outlier, TRegister sum)
    {
        TRegister packed = Packed(header, index, part);
        TRegister both = quad < 4 ? TSimd.RepeatFirst(packed) : TSimd.RepeatSecond(packed);
        TRegister x = TSimd.BroadcastQuad(outlier + QuantizedRow.OutlierQuadOffset);
        TRegister products = TSimd.MultiplyAddBytes(TQuants.Quad(quants + (part * QuantizedRow.QuadInputs), quad), x);
        TRegister dot = TSimd.MultiplyAddInt16(products, Scales(both));
        TRegister minima = TSimd.MultiplyAddInt16(TSimd.MultiplyAddBytes(TSimd.Repeat((byte)1), x), Minima(both));
        TRegister rowScale = TSimd.Broadcast(*(float*)(outlier + QuantizedRow.OutlierScaleOffset));
        sum = TSimd.FusedMultiplyAdd(TSimd.ToSingle(dot), TSimd.Multiply(Scale(header, part), rowScale), sum);
        return TSimd.FusedMultiplyAdd(TSimd.ToSingle(minima), TSimd.Multiply(Minimum(header, part), rowScale), sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRegister Scale(byte* header, int part) => TSimd.Load(header + (part * sizeof(float)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRegister Minimum(byte* header, int part) => TSimd.Load(header + ((PanelProduct.PanelOutputs + part) * sizeof(float)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRegister Packed(byte* header, int index, int part) =>
        TSimd.LoadSignedBytePairs(header + (PanelProduct.PanelOutputs * ((2 * sizeof(float)) + (2 * index))) + (2 * part));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRegister Scales(TRegister packed) => TSimd.And(packed, TSimd.Repeat((short)15));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRegister Minima(TRegister packed) => TSimd.And(TSimd.ShiftRight(packed, 4), TSimd.Repeat((short)15));
}
