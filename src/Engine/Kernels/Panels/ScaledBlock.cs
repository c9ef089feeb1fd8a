using System.Runtime.CompilerServices;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels.Panels;

/// <summary>
/// A block with one scale and one minimum for its 32 inputs. To a row's sum it adds the exact dot times (weight scale · row scale) and the minimum times
/// the row's sum, which counts its outliers.
/// </summary>
internal readonly unsafe struct ScaledBlock<TSimd, TRegister, TQuants, TScales> : IPanelBlock<ScaledBlock<TSimd, TRegister, TQuants, TScales>, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
    where TQuants : struct, IBlockQuants<TQuants, TRegister>
    where TScales : struct, IBlockScales<TRegister>
{
    private readonly TQuants _quants;
    private readonly TRegister _scale, _minimum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ScaledBlock(TQuants quants, TRegister scale, TRegister minimum) => (_quants, _scale, _minimum) = (quants, scale, minimum);

    public static int GroupBlocks => TScales.GroupBlocks;

    public static int HeaderBytes => TScales.HeaderBytes;

    public static int QuantBytes => TQuants.ByteCount;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScaledBlock<TSimd, TRegister, TQuants, TScales> Load(byte* header, int index, byte* quants, int part)
    {
        TScales.Load(header, index, part, out TRegister scale, out TRegister minimum);
        return new(TQuants.Load(quants + (part * QuantizedRow.QuadInputs)), scale, minimum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TRegister Add(byte* x, TRegister sum)
    {
        TRegister scale = TSimd.Multiply(_scale, TSimd.Broadcast(*(float*)(x + QuantizedRow.ScaleOffset)));
        sum = TSimd.FusedMultiplyAdd(TSimd.ToSingle(_quants.Dot(x)), scale, sum);
        return TSimd.FusedMultiplyAdd(_minimum, TSimd.Broadcast(*(float*)(x + QuantizedRow.SumOffset)), sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRegister AddOutlier(byte* header, int index, byte* quants, int part, int quad, byte* outlier, TRegister sum)
    {
        TScales.Load(header, index, part, out TRegister scale, out _);
        TRegister dot = TQuants.Dot(quants + (part * QuantizedRow.QuadInputs), quad, outlier + QuantizedRow.OutlierQuadOffset);
        scale = TSimd.Multiply(scale, TSimd.Broadcast(*(float*)(outlier + QuantizedRow.OutlierScaleOffset)));
        return TSimd.FusedMultiplyAdd(TSimd.ToSingle(dot), scale, sum);
    }
}
