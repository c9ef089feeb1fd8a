using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;
using Serving.Engine.Kernels;

namespace Serving.Engine.Tests.Kernels;

/// <summary>A weight matrix of random blocks with sound scales, in unmanaged memory as a mapped file would be, and its exact fp32 meaning.</summary>
internal sealed unsafe class RandomMatrix : IDisposable
{
    private readonly NativeBuffer _bytes;

    /// <param name="filling">What every byte but the scales is, or null for random ones.</param>
    public RandomMatrix(GgmlType type, int outputs, int inputs, int seed, byte? filling = null)
    {
        int rowBytes = inputs / BlockDecoder.BlockElements(type) * BlockDecoder.BlockBytes(type);
        _bytes = new((long)outputs * rowBytes);
        Span<byte> bytes = new(_bytes.Address, outputs * rowBytes);
        RandomBlocks.Fill(type, bytes, new Random(seed), filling);
        Raw = new RawTensor("random", type, outputs, inputs, (nint)_bytes.Address, bytes.Length);
    }

    public RawTensor Raw { get; }

    public float[] Row(int output)
    {
        float[] row = new float[Raw.Inputs];
        BlockDecoder.Decode(Raw.Type, Raw.Row(output), row);
        return row;
    }

    public void Dispose() => _bytes.Dispose();
}
