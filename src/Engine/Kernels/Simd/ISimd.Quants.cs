namespace Serving.Engine.Kernels.Simd;

/// <content>What weights of other widths than 4 and 8 bits, tables of codes and whole sub-scales need besides.</content>
internal unsafe partial interface ISimd<TRegister>
{
    /// <summary>A register of equal bytes.</summary>
    static abstract TRegister Repeat(byte value);

    /// <summary>A register of equal 16-bit numbers.</summary>
    static abstract TRegister Repeat(short value);

    static abstract TRegister And(TRegister a, TRegister b);

    static abstract TRegister Or(TRegister a, TRegister b);

    /// <summary>16-bit numbers moved up; bits cross from a byte to its neighbour.</summary>
    static abstract TRegister ShiftLeft(TRegister shorts, int bits);

    /// <summary>16-bit numbers moved down, zeros from above; bits cross from a byte to its neighbour.</summary>
    static abstract TRegister ShiftRight(TRegister shorts, int bits);

    /// <summary>The 16 bytes of <paramref name="table"/>, made ready for <see cref="LookUp"/>.</summary>
    static abstract TRegister Table(ReadOnlySpan<byte> table);

    /// <summary>For every byte of <paramref name="indices"/>, each below 16, the byte of the table there.</summary>
    static abstract TRegister LookUp(TRegister table, TRegister indices);

    /// <summary>One unsigned byte an output, as 32-bit numbers.</summary>
    static abstract TRegister LoadBytes(byte* source);

    /// <summary>One signed byte an output, as 32-bit numbers.</summary>
    static abstract TRegister LoadSignedBytes(byte* source);

    /// <summary>Two signed bytes an output, as 16-bit numbers.</summary>
    static abstract TRegister LoadSignedBytePairs(byte* source);

    /// <summary>Every output's first 16-bit number in both of its places.</summary>
    static abstract TRegister RepeatFirst(TRegister shorts);

    /// <summary>Every output's second 16-bit number in both of its places.</summary>
    static abstract TRegister RepeatSecond(TRegister shorts);

    /// <summary>Products of signed 16-bit numbers, neighbours added, as 32-bit numbers.</summary>
    static abstract TRegister MultiplyAddInt16(TRegister a, TRegister b);

    static abstract TRegister SubtractInt32(TRegister a, TRegister b);

    /// <summary>One bfloat16 an output, widened exactly.</summary>
    static abstract TRegister LoadBrain(short* source);
}
