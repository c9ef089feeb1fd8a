using System.Runtime.CompilerServices;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels.Panels;

/// <summary>
/// A block whose halves have whole signed scales of their own, one of eight under a scale in single precision. To a row's sum it adds
/// Σ halves scale · Σ (quant − offset) · x, which is an exact integer, times (group scale · row scale); the offset's share comes from the sums of the row's
/// halves. The header of a group: 16 scales, then for each block the two scales of the halves of each output, signed bytes.
/// </summary>
internal readonly unsafe struct HalvedBlock<TSimd, TRegister, TQuants, TOffset> : IPanelBlock<HalvedBlock<TSimd, TRegister, TQuants, TOffset>, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
    where TQuants : struct, IHalvedQuants<TQuants, TRegister>
    where TOffset : struct, IOffset
{
    private readonly TQuants _quants;
    private readonly TRegister _scale, _first, _second, _offsets;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private HalvedBlock(TQuants quants, TRegister scale, TRegister halves)
    {
        _quants = quants;
        _scale = scale;
        _first = TSimd.RepeatFirst(halves);
        _second = TSimd.RepeatSecond(halves);

        // At most 128 · 32, which fits 16 bits.
        _offsets = TSimd.ShiftLeft(halves, int.Log2(TOffset.Value));
    }

    public static int GroupBlocks => 8;

    public static int HeaderBytes => PanelProduct.PanelOutputs * (sizeof(float) + (2 * GroupBlocks));

    public static int QuantBytes => TQuants.ByteCount;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static HalvedBlock<TSimd, TRegister, TQuants, TOffset> Load(byte* header, int index, byte* quants, int part) =>
        new(TQuants.Load(quants + (part * QuantizedRow.QuadInputs)), TSimd.Load(header + (part * sizeof(float))), Halves(header, index, part));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister Add(byte* x, TRegister sum)
    {
        TRegister offset = TSimd.MultiplyAddInt16(_offsets, TSimd.BroadcastQuad(x + QuantizedRow.HalfSumsOffset));
        TRegister dot = TSimd.SubtractInt32(_quants.Dot(x, _first, _second), offset);
        return TSimd.FusedMultiplyAdd(TSimd.ToSingle(dot), TSimd.Multiply(_scale, TSimd.Broadcast(*(float*)(x + QuantizedRow.ScaleOffset))), sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRegister AddOutlier(byte* header, int index, byte* quants, int part, int quad, byte* outlier, TRegister sum)
    {
        TRegister halves = Halves(header, index, part);
        TRegister half = quad < 4 ? TSimd.RepeatFirst(halves) : TSimd.RepeatSecond(halves);
        TRegister x = TSimd.BroadcastQuad(outlier + QuantizedRow.OutlierQuadOffset);
        TRegister products = TSimd.MultiplyAddBytes(TQuants.Quad(quants + (part * QuantizedRow.QuadInputs), quad), x);
        TRegister offsets = TSimd.MultiplyAddBytes(TSimd.Repeat((byte)TOffset.Value), x);
        TRegister dot = TSimd.SubtractInt32(TSimd.MultiplyAddInt16(products, half), TSimd.MultiplyAddInt16(offsets, half));
        TRegister scale = TSimd.Load(header + (part * sizeof(float)));
        return TSimd.FusedMultiplyAdd(
            TSimd.ToSingle(dot), TSimd.Multiply(scale, TSimd.Broadcast(*(float*)(outlier + QuantizedRow.OutlierScaleOffset))), sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRegister Halves(byte* header, int index, int part) =>
        TSimd.LoadSignedBytePairs(header + (PanelProduct.PanelOutputs * (sizeof(float) + (2 * index))) + (2 * part));
}
