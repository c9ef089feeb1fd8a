using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Tests.Kernels;

/// <summary>A weight matrix of random blocks with sound scales, in unmanaged memory as a mapped file would be, and its exact fp32 meaning.</summary>
internal sealed unsafe class RandomMatrix : IDisposable
{
    private readonly Serving.Engine.Kernels.NativeBuffer _bytes;

    public RandomMatrix(GgmlType type, int outputs, int inputs, int seed)
    {
        int rowBytes = inputs / BlockDecoder.BlockElements(type) * BlockDecoder.BlockBytes(type);
        _bytes = new((long)outputs * rowBytes);
        Span<byte> bytes = new(_bytes.Address, outputs * rowBytes);
        Random random = new(seed);
        random.NextBytes(bytes);
        for (int block = 0; block < bytes.Length; block += BlockDecoder.BlockBytes(type))
        {
            WriteScales(type, bytes[block..], random);
        }

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

    private static void WriteScales(GgmlType type, Span<byte> block, Random random)
    {
        if (type == GgmlType.F32)
        {
            BitConverter.TryWriteBytes(block, (float)random.NextDouble() - 0.5f);
            return;
        }

        if (type == GgmlType.BF16)
        {
            BitConverter.TryWriteBytes(block, (ushort)(BitConverter.SingleToUInt32Bits((float)random.NextDouble() - 0.5f) >> 16));
            return;
        }

        WriteHalf(block, ((float)random.NextDouble() - 0.3f) * 0.1f);
        if (type == GgmlType.Q4_1)
        {
            WriteHalf(block[2..], (float)random.NextDouble() - 0.8f);
        }
    }

    private static void WriteHalf(Span<byte> destination, float value) => BitConverter.TryWriteBytes(destination, (Half)value);
}
