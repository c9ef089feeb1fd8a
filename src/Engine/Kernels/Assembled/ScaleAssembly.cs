using Iced.Intel;
using Serving.Engine.Formats;
using Serving.Engine.Kernels.Panels;
using static Iced.Intel.AssemblerRegisters;
using static Serving.Engine.Kernels.Assembled.TileFrame;

namespace Serving.Engine.Kernels.Assembled;

/// <summary>How a tile reads the scales of a format of blocks, and what it adds to a row's sum: the same as the kernel written with intrinsics.</summary>
internal abstract class ScaleAssembly
{
    protected const int Outputs = PanelProduct.PanelOutputs;

    protected static readonly AssemblerRegisterZMM Scale = zmm24;
    protected static readonly AssemblerRegisterZMM Minimum = zmm25;

    /// <summary>Where a header has what belongs to single blocks, in bytes.</summary>
    public virtual int MultiplesOffset => 0;

    /// <summary>Bytes of that for a block.</summary>
    public virtual int MultiplesBytes => 0;

    /// <exception cref="ArgumentOutOfRangeException">The format has no panels of blocks.</exception>
    public static ScaleAssembly Of(GgmlType type) => type switch
    {
        GgmlType.Q5_0 => new HalfScaleAssembly(OffsetBy16.Value),
        GgmlType.Q5_1 => new HalfMinimumScaleAssembly(),
        GgmlType.Q2_K => new HalvedMinimumScaleAssembly(),
        GgmlType.Q3_K => new HalvedScaleAssembly(OffsetBy4.Value),
        GgmlType.Q4_K or GgmlType.Q5_K => new SuperMinimumScaleAssembly(),
        GgmlType.Q6_K => new HalvedScaleAssembly(OffsetBy32.Value),
        GgmlType.IQ4_NL => new HalfScaleAssembly(OffsetBy128.Value),
        GgmlType.IQ4_XS => new SuperScaleAssembly(OffsetBy128.Value),
        GgmlType.MXFP4 => new PowerScaleAssembly(OffsetBy12.Value),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No panels are made of this format."),
    };

    /// <summary>Fills registers that stay; it may use <see cref="Scales"/>.</summary>
    public virtual void WriteConstants(Assembler a)
    {
    }

    /// <summary>Reads what belongs to a whole group, whose header is at <see cref="PanelAddress"/>.</summary>
    public virtual void LoadGroup(Assembler a)
    {
    }

    /// <summary>Reads what belongs to a block, at <see cref="Scales"/>.</summary>
    public abstract void LoadBlock(Assembler a);

    /// <summary>Adds a row's product with the block: one scale and one minimum for all of it, where a format has no other way.</summary>
    public virtual void AddRow(Assembler a, int row)
    {
        AssemblerRegisterZMM dot = Dot(row);
        a.vpxord(dot, dot, dot);
        AddQuads(a, row, dot, 0, Quads);
        AddScaled(a, row, dot, Scale);
        a.vfmadd231ps(Sum(row), Minimum, __dword_bcst[X(row) + QuantizedRow.SumOffset]);
    }
}

/// <summary><see cref="HalfScales{TSimd, TRegister, TOffset}"/>.</summary>
internal class HalfScaleAssembly(float offset) : ScaleAssembly
{
    private static readonly AssemblerRegisterZMM _minusOffset = zmm12;

    public override void WriteConstants(Assembler a) => Constant(a, _minusOffset, BitConverter.SingleToUInt32Bits(-offset));

    public override void LoadBlock(Assembler a)
    {
        LoadScale(a);
        a.vmulps(Minimum, Scale, _minusOffset);
    }

    protected virtual void LoadScale(Assembler a) => a.vcvtph2ps(Scale, __ymmword_ptr[Scales]);
}

/// <summary><see cref="PowerScales{TSimd, TRegister, TOffset}"/>.</summary>
internal sealed class PowerScaleAssembly(float offset) : HalfScaleAssembly(offset)
{
    protected override void LoadScale(Assembler a)
    {
        a.vpmovzxwd(Scale, __ymmword_ptr[Scales]);
        a.vpslld(Scale, Scale, 16);
    }
}

/// <summary><see cref="SuperScales{TSimd, TRegister, TOffset}"/>.</summary>
internal sealed class SuperScaleAssembly(float offset) : HalfScaleAssembly(offset)
{
    private static readonly AssemblerRegisterZMM _groupScale = zmm15;

    public override int MultiplesOffset => Outputs * sizeof(float);

    public override int MultiplesBytes => Outputs;

    public override void LoadGroup(Assembler a) => a.vmovups(_groupScale, __zmmword_ptr[PanelAddress]);

    protected override void LoadScale(Assembler a)
    {
        a.vpmovsxbd(Scale, __xmmword_ptr[Scales]);
        a.vcvtdq2ps(Scale, Scale);
        a.vmulps(Scale, Scale, _groupScale);
    }
}

/// <summary><see cref="HalfMinimumScales{TSimd, TRegister}"/>.</summary>
internal sealed class HalfMinimumScaleAssembly : ScaleAssembly
{
    public override void LoadBlock(Assembler a)
    {
        a.vcvtph2ps(Scale, __ymmword_ptr[Scales]);
        a.vcvtph2ps(Minimum, __ymmword_ptr[Scales + (Outputs * sizeof(short))]);
    }
}

/// <summary><see cref="SuperMinimumScales{TSimd, TRegister}"/>.</summary>
internal sealed class SuperMinimumScaleAssembly : ScaleAssembly
{
    private static readonly AssemblerRegisterZMM _groupScale = zmm12;
    private static readonly AssemblerRegisterZMM _groupMinimum = zmm15;

    public override int MultiplesOffset => 2 * Outputs * sizeof(float);

    public override int MultiplesBytes => 2 * Outputs;

    public override void LoadGroup(Assembler a)
    {
        a.vmovups(_groupScale, __zmmword_ptr[PanelAddress]);
        a.vmovups(_groupMinimum, __zmmword_ptr[PanelAddress + (Outputs * sizeof(float))]);
    }

    public override void LoadBlock(Assembler a)
    {
        a.vpmovzxbd(Scale, __xmmword_ptr[Scales]);
        a.vcvtdq2ps(Scale, Scale);
        a.vmulps(Scale, Scale, _groupScale);
        a.vpmovzxbd(Minimum, __xmmword_ptr[Scales + Outputs]);
        a.vcvtdq2ps(Minimum, Minimum);
        a.vmulps(Minimum, Minimum, _groupMinimum);
    }
}

/// <summary>Formats whose halves of a block have whole scales of their own, those of an output side by side.</summary>
internal abstract class HalvesScaleAssembly : ScaleAssembly
{
    private static readonly AssemblerRegisterZMM _first = zmm26;
    private static readonly AssemblerRegisterZMM _second = zmm12;

    public override int MultiplesBytes => 2 * Outputs;

    /// <summary>Takes pairs of 16-bit scales apart.</summary>
    protected static void Split(Assembler a, AssemblerRegisterZMM halves)
    {
        a.vpslld(_first, halves, 16);
        a.vpsrad(_first, _first, 16);
        a.vpsrad(_second, halves, 16);
    }

    /// <summary>The scaled products of both halves in a register of the row's.</summary>
    protected static AssemblerRegisterZMM AddHalves(Assembler a, int row)
    {
        AssemblerRegisterZMM first = Dot(2 * row), second = Dot((2 * row) + 1);
        a.vpxord(first, first, first);
        a.vpxord(second, second, second);
        AddQuads(a, row, first, 0, Quads / 2);
        AddQuads(a, row, second, Quads / 2, Quads);
        a.vpmulld(first, first, _first);
        a.vpmulld(second, second, _second);
        a.vpaddd(first, first, second);
        return first;
    }
}

/// <summary><see cref="HalvedBlock{TSimd, TRegister, TQuants, TOffset}"/>.</summary>
internal sealed class HalvedScaleAssembly(int offset) : HalvesScaleAssembly
{
    private static readonly AssemblerRegisterZMM _minusOffsets = zmm15;

    public override int MultiplesOffset => Outputs * sizeof(float);

    public override void LoadGroup(Assembler a) => a.vmovups(Scale, __zmmword_ptr[PanelAddress]);

    public override void LoadBlock(Assembler a)
    {
        a.vpmovsxbw(Minimum, __ymmword_ptr[Scales]);
        Split(a, Minimum);
        a.vpxord(_minusOffsets, _minusOffsets, _minusOffsets);
        a.vpsubw(_minusOffsets, _minusOffsets, Minimum);
        a.vpsllw(_minusOffsets, _minusOffsets, (byte)int.Log2(offset));
    }

    public override void AddRow(Assembler a, int row)
    {
        AssemblerRegisterZMM dot = AddHalves(a, row);
        a.vpdpwssd(dot, _minusOffsets, __dword_bcst[X(row) + QuantizedRow.HalfSumsOffset]);
        AddScaled(a, row, dot, Scale);
    }
}

/// <summary><see cref="HalvedMinimumBlock{TSimd, TRegister, TQuants}"/>.</summary>
internal sealed class HalvedMinimumScaleAssembly : HalvesScaleAssembly
{
    private static readonly AssemblerRegisterZMM _minima = zmm15;
    private static readonly AssemblerRegisterZMM _nibbles = zmm14;

    public override int MultiplesOffset => 2 * Outputs * sizeof(float);

    public override void WriteConstants(Assembler a) => Constant(a, _nibbles, 0x000f000f);

    public override void LoadGroup(Assembler a)
    {
        a.vmovups(Scale, __zmmword_ptr[PanelAddress]);
        a.vmovups(Minimum, __zmmword_ptr[PanelAddress + (Outputs * sizeof(float))]);
    }

    public override void LoadBlock(Assembler a)
    {
        a.vpmovzxbw(_minima, __ymmword_ptr[Scales]);
        a.vpandd(RowScale, _minima, _nibbles);
        Split(a, RowScale);
        a.vpsrlw(_minima, _minima, 4);
    }

    public override void AddRow(Assembler a, int row)
    {
        AssemblerRegisterZMM dot = AddHalves(a, row), minima = Dot((2 * row) + 1);
        AddScaled(a, row, dot, Scale);
        a.vpxord(minima, minima, minima);
        a.vpdpwssd(minima, _minima, __dword_bcst[X(row) + QuantizedRow.HalfSumsOffset]);
        AddScaled(a, row, minima, Minimum);
    }
}
