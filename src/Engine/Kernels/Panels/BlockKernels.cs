using Serving.Engine.Formats;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels.Panels;

/// <summary>The kernels over <see cref="BlockPanels"/> of one instruction set, by the file's format.</summary>
internal static unsafe class BlockKernels<TSimd, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    /// <summary>Those written with intrinsics alone.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The format has none.</exception>
    public static delegate*<in PanelProduct, int, float*, int, int, int, void> Of(GgmlType type) => Of<Intrinsics>(type);

    /// <summary>Those that <typeparamref name="TMaker"/> makes of the format's blocks.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The format has none.</exception>
    public static delegate*<in PanelProduct, int, float*, int, int, int, void> Of<TMaker>(GgmlType type)
        where TMaker : struct, IBlockKernelMaker<TRegister> => type switch
        {
            GgmlType.Q5_0 => Scaled<TMaker, FiveBitQuants<TSimd, TRegister>, HalfScales<TSimd, TRegister, OffsetBy16>>(type),
            GgmlType.Q5_1 => Scaled<TMaker, FiveBitQuants<TSimd, TRegister>, HalfMinimumScales<TSimd, TRegister>>(type),
            GgmlType.Q2_K => TMaker.Make<HalvedMinimumBlock<TSimd, TRegister, TwoBitQuants<TSimd, TRegister>>>(type),
            GgmlType.Q3_K => TMaker.Make<HalvedBlock<TSimd, TRegister, ThreeBitQuants<TSimd, TRegister>, OffsetBy4>>(type),
            GgmlType.Q4_K => Scaled<TMaker, NibbleQuants<TSimd, TRegister>, SuperMinimumScales<TSimd, TRegister>>(type),
            GgmlType.Q5_K => Scaled<TMaker, FiveBitQuants<TSimd, TRegister>, SuperMinimumScales<TSimd, TRegister>>(type),
            GgmlType.Q6_K => TMaker.Make<HalvedBlock<TSimd, TRegister, SixBitQuants<TSimd, TRegister>, OffsetBy32>>(type),
            GgmlType.IQ4_NL => Scaled<TMaker, NonLinearQuants<TSimd, TRegister>, HalfScales<TSimd, TRegister, OffsetBy128>>(type),
            GgmlType.IQ4_XS => Scaled<TMaker, NonLinearQuants<TSimd, TRegister>, SuperScales<TSimd, TRegister, OffsetBy128>>(type),
            GgmlType.MXFP4 => Scaled<TMaker, Fp4Quants<TSimd, TRegister>, PowerScales<TSimd, TRegister, OffsetBy12>>(type),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No kernel multiplies this format's blocks."),
        };

    private static delegate*<in PanelProduct, int, float*, int, int, int, void> Scaled<TMaker, TQuants, TScales>(GgmlType type)
        where TMaker : struct, IBlockKernelMaker<TRegister>
        where TQuants : struct, IBlockQuants<TQuants, TRegister>
        where TScales : struct, IBlockScales<TRegister> => TMaker.Make<ScaledBlock<TSimd, TRegister, TQuants, TScales>>(type);

    private readonly struct Intrinsics : IBlockKernelMaker<TRegister>
    {
        public static delegate*<in PanelProduct, int, float*, int, int, int, void> Make<TBlock>(GgmlType type)
            where TBlock : struct, IPanelBlock<TBlock, TRegister> => &BlockKernel<TSimd, TRegister, TBlock>.MultiplyPanel;
    }
}
