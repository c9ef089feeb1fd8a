namespace Serving.Engine.Kernels.Panels;

/// <summary>
/// One block of a panel, 32 inputs of some outputs, unpacked into registers: a weight format as <see cref="BlockKernel{TSimd, TRegister, TBlock}"/> sees it.
/// Blocks that share what is in a header form a group; a panel is a row of groups, each its header and then the quants of its blocks.
/// </summary>
/// <typeparam name="TSelf">The format.</typeparam>
/// <typeparam name="TRegister">A register of the instruction set.</typeparam>
internal unsafe interface IPanelBlock<TSelf, TRegister>
    where TSelf : struct, IPanelBlock<TSelf, TRegister>
    where TRegister : struct
{
    /// <summary>Blocks of a group: 1, or 8 in the formats of 256 elements.</summary>
    static abstract int GroupBlocks { get; }

    /// <summary>Bytes of a group's header.</summary>
    static abstract int HeaderBytes { get; }

    /// <summary>Bytes of a block's quants.</summary>
    static abstract int QuantBytes { get; }

    /// <summary>Unpacks a block.</summary>
    /// <param name="header">Its group's header.</param>
    /// <param name="index">Its place in the group.</param>
    /// <param name="quants">Its quants.</param>
    /// <param name="part">The first output of the register in its panel.</param>
    static abstract TSelf Load(byte* header, int index, byte* quants, int part);

    /// <summary>Adds the block's product with one row's block of activations (<see cref="QuantizedRow"/>) to the row's sums.</summary>
    TRegister Add(byte* x, TRegister sum);

    /// <summary>Adds the product with an outlier's entry, as <see cref="QuantizedRow"/> lists it. The other parameters are those of <see cref="Load"/>.</summary>
    /// <param name="quad">The outlier's quad in the block.</param>
    static abstract TRegister AddOutlier(byte* header, int index, byte* quants, int part, int quad, byte* outlier, TRegister sum);
}
