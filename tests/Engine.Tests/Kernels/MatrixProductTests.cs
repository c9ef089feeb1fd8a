using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;
using Serving.Engine.Kernels;
using Serving.TestKit;

namespace Serving.Engine.Tests.Kernels;

public sealed unsafe class MatrixProductTests
{
    private static readonly KernelSet[] Supported = [.. KernelSet.All.ToArray().Where(set => set.IsSupported)];

    public static TheoryData<GgmlType> Types => [.. Enum.GetValues<GgmlType>().Where(BlockDecoder.HoldsWeights)];

    public static TheoryData<GgmlType> BlockTypes => [.. Enum.GetValues<GgmlType>().Where(type => BlockDecoder.BlockElements(type) > 1)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_instruction_set_gives_the_bits_of_the_portable_one(GgmlType type)
    {
        int inputs = Inputs(type, 416);
        using RandomMatrix matrix = new(type, 53, inputs, seed: 11);
        float[] values = Values(70 * inputs, seed: 12);
        foreach (NumericClass reference in Classes(KernelSet.Portable))
        {
            float[] expected = Multiply(reference, matrix.Raw, values, 70, threads: 1);
            foreach (KernelSet set in Supported)
            {
                NumericClass other = reference is Fp32NumericClass ? Classes(set)[0] : Classes(set)[1];
                Assert.Equal(Bits(expected), Bits(Multiply(other, matrix.Raw, values, 70, threads: 1)));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_row_has_the_same_bits_for_every_row_and_thread_count(GgmlType type)
    {
        const int Outputs = 37;
        int inputs = Inputs(type, 96);
        using RandomMatrix matrix = new(type, Outputs, inputs, seed: 21);
        foreach (KernelSet set in Supported)
        {
            foreach (NumericClass numericClass in Classes(set))
            {
                float[] values = Values(70 * inputs, seed: 22);
                float[] all = Multiply(numericClass, matrix.Raw, values, 70, threads: 3);
                for (int rows = 1; rows < 70; rows += rows < 33 ? 1 : 13)
                {
                    float[] some = Multiply(numericClass, matrix.Raw, values, rows, threads: 1 + (rows % 2));
                    Assert.Equal(Bits(all.AsSpan(0, rows * Outputs)), Bits(some));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void The_fp32_class_is_close_to_double_precision(GgmlType type)
    {
        const int Outputs = 19, Rows = 5;
        int inputs = Inputs(type, 640);
        using RandomMatrix matrix = new(type, Outputs, inputs, seed: 31);
        float[] values = Values(Rows * inputs, seed: 32);
        float[] product = Multiply(Classes(Supported[^1])[0], matrix.Raw, values, Rows, threads: 2);
        for (int i = 0; i < product.Length; i++)
        {
            (double exact, double magnitude) = Dot(matrix.Row(i % Outputs), values.AsSpan(i / Outputs * inputs, inputs));
            Assert.InRange(product[i], exact - (2e-6 * magnitude), exact + (2e-6 * magnitude));
        }
    }

    [Theory]
    [MemberData(nameof(BlockTypes))]
    public void The_int8_class_stays_within_the_error_of_its_activations(GgmlType type)
    {
        const int Outputs = 19, Rows = 5;
        int inputs = Inputs(type, 640);
        using RandomMatrix matrix = new(type, Outputs, inputs, seed: 41);
        float[] values = Values(Rows * inputs, seed: 42);
        float[] product = Multiply(Classes(Supported[^1])[1], matrix.Raw, values, Rows, threads: 2);
        for (int i = 0; i < product.Length; i++)
        {
            float[] weights = matrix.Row(i % Outputs);
            Span<float> row = values.AsSpan(i / Outputs * inputs, inputs);
            double bound = 0;
            for (int start = 0; start < inputs; start += 32)
            {
                // Half a step of the block for every weight.
                double step = Magnitude(row.Slice(start, 32)) / 127;
                bound += SumOfMagnitudes(weights.AsSpan(start, 32)) * step * 0.5001;
            }

            (double exact, double magnitude) = Dot(weights, row);
            Assert.InRange(Math.Abs(product[i] - exact), 0, bound + (1e-5 * magnitude));
        }
    }

    [Theory]
    [MemberData(nameof(BlockTypes))]
    public void An_outlier_in_the_int8_class_does_not_coarsen_its_neighbours(GgmlType type)
    {
        const int Outputs = 19;
        int inputs = Inputs(type, 640);
        using RandomMatrix matrix = new(type, Outputs, inputs, seed: 45);
        float[] values = [.. Values(inputs, seed: 46).Select(value => Math.Clamp(value, -1f, 1f))];
        values[37] = 100f;
        values[600] = -300f;
        float[] product = Multiply(Classes(Supported[^1])[1], matrix.Raw, values, 1, threads: 1);
        for (int i = 0; i < product.Length; i++)
        {
            float[] weights = matrix.Row(i);
            (double exact, double magnitude) = Dot(weights, values);

            // The neighbours' steps are those of numbers up to 1; at 300 a step would be 2.4.
            Assert.InRange(Math.Abs(product[i] - exact), 0, (SumOfMagnitudes(weights) * 0.5001 / 127) + (1e-5 * magnitude));
        }
    }

    /// <summary>Where a sum of 16 bits would overflow if it could: every activation is 127 steps and every quant the least, the greatest or the table's greatest.</summary>
    [Theory]
    [MemberData(nameof(BlockTypes))]
    public void Extreme_quants_and_activations_stay_exact(GgmlType type)
    {
        const int Outputs = 16;
        int inputs = Inputs(type, 64);
        foreach (byte filling in new byte[] { 0x00, 0x77, 0x88, 0xff })
        {
            using RandomMatrix matrix = new(type, Outputs, inputs, seed: 47, filling);
            foreach (float sign in new[] { 1f, -1f })
            {
                float[] values = [.. Enumerable.Range(0, inputs).Select(i => i % 32 < 16 ? 1 : sign)];
                foreach (KernelSet set in Supported)
                {
                    float[] product = Multiply(Classes(set)[1], matrix.Raw, values, 1, threads: 1);
                    for (int i = 0; i < Outputs; i++)
                    {
                        (double exact, double magnitude) = Dot(matrix.Row(i), values);

                        // One overflow would be off by 65,536 steps of both.
                        double tolerance = 1e-5 * (1 + magnitude);
                        Assert.InRange(product[i], exact - tolerance, exact + tolerance);
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Copies_weight_rows_exactly(GgmlType type)
    {
        int inputs = Inputs(type, 64);
        using RandomMatrix matrix = new(type, 35, inputs, seed: 51);
        foreach (NumericClass numericClass in Classes(KernelSet.Portable))
        {
            using WeightMatrix packed = numericClass.Pack(matrix.Raw);
            float[] row = new float[inputs];
            foreach (int output in new[] { 0, 17, 34 })
            {
                packed.CopyRow(output, row);
                Assert.Equal(matrix.Row(output), row);
            }
        }
    }

    [Fact]
    public void Multiplying_allocates_nothing()
    {
        using RandomMatrix matrix = new(GgmlType.Q4_1, 64, 64, seed: 61);
        using ComputePool pool = new(2);
        NumericClass numericClass = new Int8BlockNumericClass();
        using WeightMatrix packed = numericClass.Pack(matrix.Raw);
        using Activations x = numericClass.CreateActivations(16, 64);
        float* y = stackalloc float[16 * 64];

        Assert.Equal(0, SteadyState.AllocatedBytes(() =>
        {
            for (int i = 0; i < 20; i++)
            {
                Step();
            }
        }));

        void Step()
        {
            x.Prepare(16, 64, pool);
            packed.Multiply(x, 16, y, 64, pool);
        }
    }

    [Fact]
    public void Refuses_rows_that_were_not_prepared()
    {
        using RandomMatrix matrix = new(GgmlType.Q8_0, 16, 64, seed: 71);
        using ComputePool pool = new(1);
        NumericClass numericClass = new Int8BlockNumericClass();
        using WeightMatrix packed = numericClass.Pack(matrix.Raw);
        using Activations x = numericClass.CreateActivations(4, 64);
        x.Prepare(2, 64, pool);
        float[] y = new float[4 * 16];

        Assert.Throws<InvalidOperationException>(() =>
        {
            fixed (float* destination = y)
            {
                packed.Multiply(x, 3, destination, 16, pool);
            }
        });
    }

    /// <summary>At least so many inputs that make whole blocks, more than one.</summary>
    private static int Inputs(GgmlType type, int inputs) => BlockDecoder.BlockElements(type) == 256 ? Math.Max(2, (inputs + 255) / 256) * 256 : inputs;

    private static NumericClass[] Classes(KernelSet set) =>
        [new Fp32NumericClass(KernelSelection.Choose(set.Name)), new Int8BlockNumericClass(KernelSelection.Choose(set.Name))];

    private static float[] Multiply(NumericClass numericClass, RawTensor weights, ReadOnlySpan<float> values, int rows, int threads)
    {
        using ComputePool pool = new(threads);
        using WeightMatrix matrix = numericClass.Pack(weights);
        using Activations x = numericClass.CreateActivations(rows, weights.Inputs);
        values[..(rows * weights.Inputs)].CopyTo(new Span<float>(x.Values, rows * weights.Inputs));
        x.Prepare(rows, weights.Inputs, pool);

        // A wider stride than needed, to see that nothing is written between the rows.
        int stride = weights.Outputs + 3;
        float[] y = new float[rows * stride];
        Array.Fill(y, 7f);
        fixed (float* destination = y)
        {
            matrix.Multiply(x, rows, destination, stride, pool);
        }

        float[] dense = new float[rows * weights.Outputs];
        for (int row = 0; row < rows; row++)
        {
            y.AsSpan(row * stride, weights.Outputs).CopyTo(dense.AsSpan(row * weights.Outputs));
            Assert.Equal([7f, 7f, 7f], y.AsSpan((row * stride) + weights.Outputs, 3).ToArray());
        }

        return dense;
    }

    /// <summary>Numbers of several magnitudes, some of them outliers.</summary>
    private static float[] Values(int count, int seed)
    {
        Random random = new(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-2, 2)) * (random.Next(60) == 0 ? 15 : 1));
        }

        return values;
    }

    private static (double Value, double Magnitude) Dot(ReadOnlySpan<float> weights, ReadOnlySpan<float> x)
    {
        double value = 0, magnitude = 0;
        for (int i = 0; i < x.Length; i++)
        {
            value += (double)weights[i] * x[i];
            magnitude += Math.Abs((double)weights[i] * x[i]);
        }

        return (value, magnitude);
    }

    private static float Magnitude(ReadOnlySpan<float> values)
    {
        float largest = 0;
        foreach (float value in values)
        {
            largest = Math.Max(largest, Math.Abs(value));
        }

        return largest;
    }

    private static double SumOfMagnitudes(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values)
        {
            sum += Math.Abs(value);
        }

        return sum;
    }

    private static int[] Bits(ReadOnlySpan<float> values)
    {
        int[] bits = new int[values.Length];
        for (int i = 0; i < bits.Length; i++)
        {
            bits[i] = BitConverter.SingleToInt32Bits(values[i]);
        }

        return bits;
    }
}
