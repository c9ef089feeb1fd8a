namespace Serving.Engine.Kernels.Simd;

/// <summary>
/// The instructions that a matrix kernel is made of, on one width of register. A kernel is written once over these; an instruction set differs in them
/// alone. All are exact or rounded once, as IEEE 754 says, so that every set gives the same bits.
/// </summary>
/// <typeparam name="TRegister">A register's bytes. Four bytes, or one 32-bit number, belong to one output.</typeparam>
internal unsafe partial interface ISimd<TRegister>
    where TRegister : struct
{
    /// <summary>Outputs in a register: 4, 8 or 16.</summary>
    static abstract int Outputs { get; }

    static abstract TRegister Load(byte* source);

    /// <summary>A register whose every output holds the same four bytes.</summary>
    static abstract TRegister BroadcastQuad(byte* source);

    /// <summary>A register whose every output holds the same number.</summary>
    static abstract TRegister Broadcast(float value);

    static abstract TRegister LowNibbles(TRegister bytes);

    static abstract TRegister HighNibbles(TRegister bytes);

    /// <summary>Magnitudes of signed bytes, as unsigned ones.</summary>
    static abstract TRegister Magnitude(TRegister bytes);

    /// <summary><paramref name="bytes"/>, negated where <paramref name="signs"/> is negative; anything where it is zero.</summary>
    static abstract TRegister TakeSign(TRegister bytes, TRegister signs);

    /// <summary>Products of unsigned and signed bytes, neighbours added, as 16-bit numbers. The caller sees to it that none overflows.</summary>
    static abstract TRegister MultiplyAddBytes(TRegister unsigned, TRegister signed);

    static abstract TRegister AddInt16(TRegister a, TRegister b);

    static abstract TRegister AddInt32(TRegister a, TRegister b);

    /// <summary>Neighbouring 16-bit numbers added, as 32-bit ones.</summary>
    static abstract TRegister AddPairs(TRegister shorts);

    static abstract TRegister ToSingle(TRegister ints);

    /// <summary>One half-precision number an output, widened exactly.</summary>
    static abstract TRegister LoadHalf(short* source);

    /// <summary>One signed byte an output, as fp32.</summary>
    static abstract TRegister LoadSByte(sbyte* source);

    static abstract TRegister Multiply(TRegister a, TRegister b);

    static abstract TRegister AddSingle(TRegister a, TRegister b);

    /// <summary>a · b + c, rounded once.</summary>
    static abstract TRegister FusedMultiplyAdd(TRegister a, TRegister b, TRegister c);

    static abstract void Store(TRegister register, float* destination);

    /// <summary>Asks for a cache line ahead of its use; never faults.</summary>
    static abstract void Prefetch(byte* address);
}
