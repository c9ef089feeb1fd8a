using Serving.Engine.Formats;
using Serving.Engine.Kernels;

namespace Serving.Engine.Tests.Kernels;

public sealed unsafe class MappedMatrixTests
{
    public static TheoryData<GgmlType> Types => [GgmlType.F32, GgmlType.F16, GgmlType.BF16];

    [Theory]
    [MemberData(nameof(Types))]
    public void Products_are_close_to_double_precision_for_every_size_and_address(GgmlType type)
    {
        foreach (int inputs in new[] { 1, 7, 13, 20, 40, 48, 56, 512, 525, 1100 })
        {
            foreach (int outputs in new[] { 1, 3, 4, 13, 20 })
            {
                // Addresses that no element's size divides.
                foreach (int offset in new[] { 0, 1, 6 })
                {
                    AssertClose(type, outputs, inputs, offset);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_row_has_the_same_bits_for_every_row_count_thread_count_and_address(GgmlType type)
    {
        const int Rows = 23;
        foreach ((int outputs, int inputs) in new[] { (37, 13), (20, 96), (131, 1100) })
        {
            using RandomMatrix matrix = new(type, outputs, inputs, seed: 5);
            float[] x = Values(Rows * inputs, seed: 6);
            float[] all = Multiply(matrix.Raw, x, Rows, threads: 1);
            for (int rows = 1; rows <= Rows; rows++)
            {
                using NativeBuffer moved = new(matrix.Raw.ByteCount + 3);
                float[] some = Multiply(Move(matrix.Raw, moved, offset: rows % 4), x, rows, threads: 1 + (rows % 2));
                Assert.Equal(Array.ConvertAll(all[..(rows * outputs)], BitConverter.SingleToInt32Bits), Array.ConvertAll(some, BitConverter.SingleToInt32Bits));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_mapped_matrix_owns_no_memory_and_a_copy_all_of_it(GgmlType type)
    {
        using RandomMatrix matrix = new(type, 5, 24, seed: 7);
        using WeightMatrix mapped = new Int8BlockNumericClass().Map(matrix.Raw);
        using WeightMatrix copy = new Int8BlockNumericClass().Pack(matrix.Raw);

        Assert.Equal((0, matrix.Raw.ByteCount), (mapped.ResidentBytes, mapped.MappedBytes));
        Assert.Equal((matrix.Raw.ByteCount, 0), (copy.ResidentBytes, copy.MappedBytes));
        float[] row = new float[24];
        mapped.CopyRow(4, row);
        Assert.Equal(matrix.Row(4), row);
        Assert.Throws<ArgumentOutOfRangeException>(() => mapped.CopyRow(5, new float[24]));
    }

    [Fact]
    public void Refuses_blocks()
    {
        using RandomMatrix matrix = new(GgmlType.Q8_0, 4, 32, seed: 8);

        Assert.False(new Fp32NumericClass().UsesInPlace(GgmlType.Q8_0));
        Assert.Contains("Q8_0", Assert.Throws<ArgumentException>(() => new Fp32NumericClass().Map(matrix.Raw)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Writes_nothing_between_the_rows()
    {
        using RandomMatrix matrix = new(GgmlType.F16, 13, 40, seed: 9);
        using WeightMatrix mapped = new Fp32NumericClass().Map(matrix.Raw);
        using Activations x = new Fp32NumericClass().CreateActivations(7, 40);
        using ComputePool pool = new(2);
        x.Prepare(7, 40, pool);
        float[] y = new float[7 * 17];
        Array.Fill(y, 7f);
        fixed (float* destination = y)
        {
            mapped.Multiply(x, 7, destination, 17, pool);
        }

        for (int row = 0; row < 7; row++)
        {
            Assert.Equal([7f, 7f, 7f, 7f], y[((row * 17) + 13)..((row + 1) * 17)]);
        }
    }

    private static void AssertClose(GgmlType type, int outputs, int inputs, int offset)
    {
        const int Rows = 5;
        using RandomMatrix matrix = new(type, outputs, inputs, seed: inputs + outputs);
        using NativeBuffer moved = new(matrix.Raw.ByteCount + offset);
        float[] x = Values(Rows * inputs, seed: inputs);
        float[] y = Multiply(Move(matrix.Raw, moved, offset), x, Rows, threads: 2);
        for (int i = 0; i < y.Length; i++)
        {
            float[] weights = matrix.Row(i % outputs);
            double exact = 0, magnitude = 0;
            for (int k = 0; k < inputs; k++)
            {
                double product = (double)weights[k] * x[(i / outputs * inputs) + k];
                exact += product;
                magnitude += Math.Abs(product);
            }

            Assert.InRange(y[i], exact - (1e-6 * magnitude), exact + (1e-6 * magnitude));
        }
    }

    private static RawTensor Move(RawTensor matrix, NativeBuffer to, int offset)
    {
        Buffer.MemoryCopy((void*)matrix.Data, to.Address + offset, matrix.ByteCount, matrix.ByteCount);
        return matrix with { Data = (nint)(to.Address + offset) };
    }

    private static float[] Multiply(RawTensor weights, float[] values, int rows, int threads)
    {
        using ComputePool pool = new(threads);
        using WeightMatrix matrix = new Fp32NumericClass().Map(in weights);
        using Activations x = new Fp32NumericClass().CreateActivations(rows, weights.Inputs);
        values.AsSpan(0, rows * weights.Inputs).CopyTo(new Span<float>(x.Values, rows * weights.Inputs));
        x.Prepare(rows, weights.Inputs, pool);
        float[] y = new float[rows * weights.Outputs];
        fixed (float* destination = y)
        {
            matrix.Multiply(x, rows, destination, weights.Outputs, pool);
        }

        return y;
    }

    private static float[] Values(int count, int seed)
    {
        Random random = new(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-2, 2)));
        }

        return values;
    }
}
