using System.Diagnostics;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Kernels;

/// <summary>Products by which kernels are examined before they may be used: small ones for their bits, one like a model's for their speed.</summary>
internal sealed unsafe class KernelTrial : IDisposable
{
    private const int Repeats = 8;

    private readonly ComputePool _pool = new(1);
    private readonly Random _random = new(1);

    /// <summary>Whether attention and the formats that are tried in every process agree; other formats are tried when a model brings them.</summary>
    public bool AgreesWithPortable(KernelSet set) =>
        AgreesWithPortable(set, GgmlType.Q4_1) && AgreesWithPortable(set, GgmlType.Q8_0) && AgreesWithPortable(set, GgmlType.F32)
        && AttentionTrial.AgreesWithPortable(set, _pool);

    /// <summary>Whether a format's products have the bits of the portable kernels'.</summary>
    public bool AgreesWithPortable(KernelSet set, GgmlType type)
    {
        // Neither the outputs nor the rows fill a tile.
        int inputs = Math.Max(192, 2 * BlockDecoder.BlockElements(type));
        using TrialMatrix raw = new(type, outputs: 37, inputs, _random);
        using Activations x = RandomActivations(rows: 11, inputs);
        return Product(raw, set, x, 11).AsSpan().SequenceEqual(Product(raw, KernelSet.Portable, x, 11));
    }

    /// <summary>The time of a 4-bit product of one row and of sixteen, the best of a few: other processes may take the processor in between.</summary>
    public double MeasureMicroseconds(KernelSet set)
    {
        using TrialMatrix raw = new(GgmlType.Q4_1, outputs: 768, inputs: 576, _random);
        using Activations x = RandomActivations(rows: 16, width: 576);
        using Int8Matrix matrix = new(raw.Tensor, set);
        float[] y = new float[16 * 768];
        double best = double.PositiveInfinity;
        fixed (float* destination = y)
        {
            for (int i = 0; i <= Repeats; i++)
            {
                long start = Stopwatch.GetTimestamp();
                matrix.Multiply(x, 1, destination, 768, _pool);
                matrix.Multiply(x, 16, destination, 768, _pool);
                best = i == 0 ? best : Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            }
        }

        return best;
    }

    public void Dispose() => _pool.Dispose();

    private int[] Product(TrialMatrix raw, KernelSet set, Activations x, int rows)
    {
        using WeightMatrix matrix = raw.Tensor.Type == GgmlType.F32 ? new Fp32Matrix(raw.Tensor, set) : new Int8Matrix(raw.Tensor, set);
        int[] y = new int[rows * matrix.Outputs];
        fixed (int* destination = y)
        {
            matrix.Multiply(x, rows, (float*)destination, matrix.Outputs, _pool);
        }

        return y;
    }

    private PanelActivations RandomActivations(int rows, int width)
    {
        PanelActivations x = new(rows, width, quantized: true);
        for (int i = 0; i < rows * width; i++)
        {
            // As in a model, one value in 75 stands out from the others.
            x.Values[i] = (_random.NextSingle() - 0.5f) * (i % 75 == 0 ? 20 : 1);
        }

        x.Prepare(rows, width, _pool);
        return x;
    }

    /// <summary>A raw matrix of <see cref="RandomBlocks"/>.</summary>
    private sealed class TrialMatrix : IDisposable
    {
        private readonly NativeBuffer _bytes;

        public TrialMatrix(GgmlType type, int outputs, int inputs, Random random)
        {
            _bytes = new NativeBuffer((long)outputs * inputs / BlockDecoder.BlockElements(type) * BlockDecoder.BlockBytes(type));
            RandomBlocks.Fill(type, new Span<byte>(_bytes.Address, (int)_bytes.ByteCount), random);
            Tensor = new RawTensor("trial", type, outputs, inputs, (nint)_bytes.Address, _bytes.ByteCount);
        }

        public RawTensor Tensor { get; }

        public void Dispose() => _bytes.Dispose();
    }
}
