namespace Serving.Engine.Kernels.Panels;

/// <summary>The header of a group of blocks that have one scale and one minimum for all of their 32 inputs: a weight is quant · scale + minimum.</summary>
internal unsafe interface IBlockScales<TRegister>
    where TRegister : struct
{
    static abstract int GroupBlocks { get; }

    static abstract int HeaderBytes { get; }

    /// <summary>Reads a block's scales of the outputs from <paramref name="part"/>, exactly.</summary>
    static abstract void Load(byte* header, int index, int part, out TRegister scale, out TRegister minimum);
}
