using Serving.Engine.Formats;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels.Panels;

/// <summary>The kernels over <see cref="BlockPanels"/> of one instruction set, by the file's format.</summary>
internal static unsafe class BlockKernels<TSimd, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    /// <exception cref="ArgumentOutOfRangeException">The format has none.</exception>
    public static delegate*<in PanelProduct, int, float*, int, int, int, void> Of(GgmlType type) => type switch
    {
        GgmlType.Q5_0 => Scaled<FiveBitQuants<TSimd, TRegister>, HalfScales<TSimd, TRegister, OffsetBy16>>(),
        GgmlType.Q5_1 => Scaled<FiveBitQuants<TSimd, TRegister>, HalfMinimumScales<TSimd, TRegister>>(),
        GgmlType.Q2_K => &BlockKernel<TSimd, TRegister, HalvedMinimumBlock<TSimd, TRegister, TwoBitQuants<TSimd, TRegister>>>.MultiplyPanel,
        GgmlType.Q3_K => &BlockKernel<TSimd, TRegister, HalvedBlock<TSimd, TRegister, ThreeBitQuants<TSimd, TRegister>, OffsetBy4>>.MultiplyPanel,
        GgmlType.Q4_K => Scaled<NibbleQuants<TSimd, TRegister>, SuperMinimumScales<TSimd, TRegister>>(),
        GgmlType.Q5_K => Scaled<FiveBitQuants<TSimd, TRegister>, SuperMinimumScales<TSimd, TRegister>>(),
        GgmlType.Q6_K => &BlockKernel<TSimd, TRegister, HalvedBlock<TSimd, TRegister, SixBitQuants<TSimd, TRegister>, OffsetBy32>>.MultiplyPanel,
        GgmlType.IQ4_NL => Scaled<NonLinearQuants<TSimd, TRegister>, HalfScales<TSimd, TRegister, OffsetBy128>>(),
        GgmlType.IQ4_XS => Scaled<NonLinearQuants<TSimd, TRegister>, SuperScales<TSimd, TRegister, OffsetBy128>>(),
        GgmlType.MXFP4 => Scaled<Fp4Quants<TSimd, TRegister>, PowerScales<TSimd, TRegister, OffsetBy12>>(),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No kernel multiplies this format's blocks."),
    };

    private static delegate*<in PanelProduct, int, float*, int, int, int, void> Scaled<TQuants, TScales>()
        where TQuants : struct, IBlockQuants<TQuants, TRegister>
        where TScales : struct, IBlockScales<TRegister> => &BlockKernel<TSimd, TRegister, ScaledBlock<TSimd, TRegister, TQuants, TScales>>.MultiplyPanel;
}
