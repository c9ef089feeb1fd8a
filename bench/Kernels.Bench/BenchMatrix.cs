using System.Runtime.InteropServices;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;
using Serving.Engine.Kernels;

namespace Serving.Kernels.Bench;

/// <summary>A packed matrix of random quants in a part of a buffer, activations for it and room for the product.</summary>
internal sealed unsafe class BenchMatrix : IDisposable
{
    private readonly WeightMatrix _weights;
    private readonly Activations _x;
    private readonly float* _y;
    private readonly int _rows;

    /// <param name="buffer">Where the packed weights go.</param>
    /// <param name="offset">The first byte there.</param>
    public BenchMatrix(NumericClass numericClass, GgmlType type, int inputs, int outputs, int rows, NativeBuffer buffer, long offset)
    {
        long byteCount = RawBytes(type, inputs, outputs);
        byte* raw = (byte*)NativeMemory.AllocZeroed((nuint)byteCount);
        RandomBlocks.Fill(type, new Span<byte>(raw, (int)byteCount), new Random(1));
        _rows = rows;
        RawTensor tensor = new("bench", type, outputs, inputs, (nint)raw, byteCount);
        PackedForm form = numericClass.FormOf(type);
        form.Pack(in tensor, 0, outputs, buffer.Address + offset);
        _weights = numericClass.Open(in tensor, PackedMemory.Within(buffer, offset, form.ByteCount(in tensor)));
        NativeMemory.Free(raw);
        _x = numericClass.CreateActivations(rows, inputs);
        _y = (float*)NativeMemory.AlignedAlloc((nuint)((long)rows * outputs * sizeof(float)), 64);
        Random random = new(2);
        for (int i = 0; i < rows * inputs; i++)
        {
            // As in a model, one value in 75 stands out from the others.
            _x.Values[i] = (random.NextSingle() - 0.5f) * (i % 75 == 0 ? 20 : 1);
        }
    }

    public long ResidentBytes => _weights.ResidentBytes;

    /// <summary>Bytes of a matrix as a file holds it.</summary>
    public static long RawBytes(GgmlType type, int inputs, int outputs) =>
        (long)outputs * inputs / BlockDecoder.BlockElements(type) * BlockDecoder.BlockBytes(type);

    public void Multiply(ComputePool pool)
    {
        _x.Prepare(_rows, _weights.Inputs, pool);
        _weights.Multiply(_x, _rows, _y, _weights.Outputs, pool);
    }

    public void Dispose()
    {
        _weights.Dispose();
        _x.Dispose();
        NativeMemory.AlignedFree(_y);
    }
}
