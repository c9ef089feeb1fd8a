namespace Serving.Engine.Kernels.Panels;

/// <summary>The unsigned quants of a block, unpacked; one scale belongs to all 32 inputs.</summary>
internal unsafe interface IBlockQuants<TSelf, TRegister>
    where TSelf : struct, IBlockQuants<TSelf, TRegister>
    where TRegister : struct
{
    /// <summary>Bytes of a block's planes.</summary>
    static abstract int ByteCount { get; }

    /// <summary>Unpacks a block from its planes, at the first output of the register.</summary>
    static abstract TSelf Load(byte* planes);

    /// <summary>The exact sums of products with 32 activations, as 32-bit numbers.</summary>
    TRegister Dot(byte* x);

    /// <summary>The same of one quad alone.</summary>
    static abstract TRegister Dot(byte* planes, int quad, byte* x);
}

/// <summary>The unsigned quants of a block, unpacked; each half, 16 inputs, has a scale of its own.</summary>
internal unsafe interface IHalvedQuants<TSelf, TRegister>
    where TSelf : struct, IHalvedQuants<TSelf, TRegister>
    where TRegister : struct
{
    /// <summary>Bytes of a block's planes.</summary>
    static abstract int ByteCount { get; }

    /// <summary>Unpacks a block from its planes, at the first output of the register.</summary>
    static abstract TSelf Load(byte* planes);

    /// <summary>The exact sums of products with 32 activations, those of a half times its scale, as 32-bit numbers.</summary>
    /// <param name="x">The activations.</param>
    /// <param name="first">The first half's scale in both 16-bit places of every output; |scale| ≤ 128.</param>
    /// <param name="second">The second half's.</param>
    TRegister Dot(byte* x, TRegister first, TRegister second);

    /// <summary>The quants of one quad.</summary>
    static abstract TRegister Quad(byte* planes, int quad);
}
