using System.Runtime.Intrinsics;
using Serving.Engine.Kernels;
using Serving.Engine.Models;

namespace Serving.Engine.Tests.Kernels;

public sealed unsafe class ElementwiseTests
{
    [Theory]
    [InlineData(576)]
    [InlineData(13)]
    public void Normalises_each_row_by_its_root_mean_square(int width)
    {
        const int Rows = 3;
        int stride = width + 5;
        float[] x = Numbers(Rows * stride, seed: 1);
        float[] weight = Numbers(width, seed: 2);
        float[] y = new float[Rows * width];
        fixed (float* source = x, destination = y)
        {
            RmsNorm.Apply(source, stride, weight, 1e-5f, destination, width, Rows);
        }

        for (int row = 0; row < Rows; row++)
        {
            double squares = 0;
            for (int i = 0; i < width; i++)
            {
                squares += (double)x[(row * stride) + i] * x[(row * stride) + i];
            }

            for (int i = 0; i < width; i++)
            {
                double expected = x[(row * stride) + i] * weight[i] / Math.Sqrt((squares / width) + 1e-5);
                Assert.Equal(expected, y[(row * width) + i], 1e-5);
            }
        }
    }

    [Fact]
    public void Gates_by_the_sigmoid_weighted_unit()
    {
        const int Width = 101;
        float[] gate = Numbers(Width, seed: 3);
        gate[0] = -200f;
        gate[1] = 200f;
        float[] up = Numbers(Width, seed: 4);
        fixed (float* g = gate, u = up)
        {
            float[] expected = new float[Width];
            for (int i = 0; i < Width; i++)
            {
                expected[i] = (float)(gate[i] / (1 + Math.Exp(-(double)gate[i])) * up[i]);
            }

            GatedUnit.Apply(new GateSpec(GateActivation.Silu), g, Width, u, Width, g, Width, rows: 1, Width);

            for (int i = 0; i < Width; i++)
            {
                Assert.Equal(expected[i], gate[i], 1e-5f + (1e-6f * Math.Abs(expected[i])));
            }
        }
    }

    [Fact]
    public void Exponential_is_within_two_ulp()
    {
        for (float x = -87f; x <= 88f; x += 0.0137f)
        {
            float expected = (float)Math.Exp(x);
            Assert.InRange(VectorMath.Exp(x), expected - (2 * Ulp(expected)), expected + (2 * Ulp(expected)));
        }
    }

    [Fact]
    public void Hyperbolic_tangent_is_within_three_ten_millionths()
    {
        for (float x = -12f; x <= 12f; x += 0.00173f)
        {
            Assert.Equal(Math.Tanh(x), Tanh(x), 3e-7);
            Assert.Equal(Tanh(x), -Tanh(-x));
        }

        Assert.Equal((0f, 1f, -1f), (Tanh(0), Tanh(1e30f), Tanh(float.NegativeInfinity)));

        static float Tanh(float x) => VectorMath.Tanh(Vector256.Create(x)).ToScalar();
    }

    [Theory]
    [InlineData(true, 16, 16)]
    [InlineData(false, 16, 16)]
    [InlineData(true, 24, 6)]
    [InlineData(false, 24, 6)]
    public void Turns_pairs_by_their_positions_angle(bool interleaved, int headDim, int dims)
    {
        const int Heads = 2;
        int[] positions = [0, 5, 63];
        float[] factors = Numbers(dims / 2, seed: 5).Select(f => 1.5f + Math.Abs(f)).ToArray();
        float[] x = Numbers(positions.Length * Heads * headDim, seed: 6);
        float[] turned = [.. x];
        using RopeTable rope = new(64, RopeFrequencies.Divide(RopeFrequencies.Default(dims, 10000), factors), 1, interleaved);
        fixed (float* rows = turned)
        {
            rope.Apply(rows, Heads * headDim, Heads, headDim, positions);
        }

        for (int i = 0; i < x.Length; i++)
        {
            int d = i % headDim;
            float expected = d < dims ? Turn(x, i, d, positions[i / (Heads * headDim)]) : x[i];
            Assert.Equal(expected, turned[i], 1e-5f);
        }

        float Turn(float[] values, int i, int d, int position)
        {
            int half = dims / 2;
            int pair = interleaved ? d / 2 : d % half;
            bool isFirst = interleaved ? d % 2 == 0 : d < half;
            float other = values[interleaved ? i ^ 1 : isFirst ? i + half : i - half];
            double angle = position * Math.Pow(10000, -2.0 * pair / dims) / factors[pair];
            return (float)((values[i] * Math.Cos(angle)) + ((isFirst ? -other : other) * Math.Sin(angle)));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Multiplies_what_it_turns_with_the_magnitude(bool interleaved)
    {
        float[] plain = Numbers(12, seed: 7);
        float[] scaled = [.. plain];
        double[] frequencies = RopeFrequencies.Default(8, 10000);
        using RopeTable once = new(16, frequencies, 1, interleaved);
        using RopeTable more = new(16, frequencies, 1.25f, interleaved);
        fixed (float* a = plain, b = scaled)
        {
            once.Apply(a, 12, 1, 12, [11]);
            more.Apply(b, 12, 1, 12, [11]);
        }

        for (int i = 0; i < plain.Length; i++)
        {
            Assert.Equal(plain[i] * (i < 8 ? 1.25f : 1), scaled[i], 1e-6f);
        }
    }

    [Fact]
    public void Refuses_a_position_beyond_the_context()
    {
        using RopeTable rope = new(8, RopeFrequencies.Default(4, 10000), 1, interleaved: true);
        float[] x = new float[4];

        Assert.Throws<ArgumentOutOfRangeException>(() =>
        {
            fixed (float* row = x)
            {
                rope.Apply(row, 4, 1, 4, [8]);
            }
        });
    }

    private static float Ulp(float value) => MathF.BitIncrement(value) - value;

    private static float[] Numbers(int count, int seed)
    {
        Random random = new(seed);
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++)
        {
            numbers[i] = (random.NextSingle() - 0.5f) * 4;
        }

        return numbers;
    }
}
