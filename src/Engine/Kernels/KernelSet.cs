using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Serving.Engine.Formats;
using Serving.Engine.Kernels.Assembled;
using Serving.Engine.Kernels.Panels;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels;

/// <summary>The kernels of one instruction set. Those of matrices each multiply some rows with one panel.</summary>
internal sealed unsafe class KernelSet
{
    public static readonly KernelSet Portable = Create<PortableSimd, Vector128<byte>>("portable", isSupported: true);

    public static readonly KernelSet Avx2 = Create<Avx2Simd, Vector256<byte>>("avx2", System.Runtime.Intrinsics.X86.Avx2.IsSupported && Fma.IsSupported);

    public static readonly KernelSet Avx512 = Create<Avx512Simd, Vector512<byte>>("avx512", Avx512BW.IsSupported);

    /// <summary>AVX-512 with what is assembled at run time for instructions that .NET does not offer: VNNI, and the widening of halves.</summary>
    public static readonly KernelSet Avx512Vnni = new("avx512vnni", VnniTiles.IsSupported && HalfStrip.IsSupported, &BlockTiles.Of)
    {
        Fp32 = Avx512.Fp32,
        Nibble = &VnniTiles.MultiplyNibblePanel,
        Byte = &VnniTiles.MultiplyBytePanel,
        Attention = &AttentionKernel<Avx512Simd, Vector512<byte>>.Compute<HalfStrip>,
    };

    private static readonly KernelSet[] _all = [Portable, Avx2, Avx512, Avx512Vnni];

    private readonly delegate*<GgmlType, delegate*<in PanelProduct, int, float*, int, int, int, void>> _blocks;

    private KernelSet(
        string name, bool isSupported, delegate*<GgmlType, delegate*<in PanelProduct, int, float*, int, int, int, void>> blocks)
    {
        Name = name;
        IsSupported = isSupported;
        _blocks = blocks;
    }

    public static ReadOnlySpan<KernelSet> All => _all;

    public string Name { get; }

    /// <summary>Whether this processor has the instructions.</summary>
    public bool IsSupported { get; }

    public delegate*<in PanelProduct, int, float*, int, int, int, void> Fp32 { get; private init; }

    private delegate*<in PanelProduct, int, float*, int, int, int, void> Nibble { get; init; }

    private delegate*<in PanelProduct, int, float*, int, int, int, void> Byte { get; init; }

    /// <summary>The int8 class's kernel for a format of blocks.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The format has none.</exception>
    public delegate*<in PanelProduct, int, float*, int, int, int, void> Of(GgmlType type) => type switch
    {
        GgmlType.Q4_0 or GgmlType.Q4_1 => Nibble,
        GgmlType.Q8_0 => Byte,
        _ => _blocks(type),
    };

    public delegate*<in AttentionPart, void> Attention { get; private init; }

    /// <summary>The same kernels with another for 4-bit weights.</summary>
    public KernelSet WithNibble(string name, delegate*<in PanelProduct, int, float*, int, int, int, void> nibble) =>
        new(name, IsSupported, _blocks) { Fp32 = Fp32, Nibble = nibble, Byte = Byte, Attention = Attention };

    /// <summary>The same kernels with another for attention.</summary>
    public KernelSet WithAttention(string name, delegate*<in AttentionPart, void> attention) =>
        new(name, IsSupported, _blocks) { Fp32 = Fp32, Nibble = Nibble, Byte = Byte, Attention = attention };

    private static KernelSet Create<TSimd, TRegister>(string name, bool isSupported)
        where TSimd : struct, ISimd<TRegister>
        where TRegister : struct => new(name, isSupported, &BlockKernels<TSimd, TRegister>.Of)
        {
            Fp32 = &Fp32Kernel<TSimd, TRegister>.MultiplyPanel,
            Nibble = &NibbleKernel<TSimd, TRegister>.MultiplyPanel,
            Byte = &ByteKernel<TSimd, TRegister>.MultiplyPanel,
            Attention = &AttentionKernel<TSimd, TRegister>.Compute,
        };
}
