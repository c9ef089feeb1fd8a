using System.Runtime.Intrinsics;
using Serving.Engine.Kernels;
using Serving.Engine.Models;

namespace Serving.Engine.Tests.Kernels;

public sealed unsafe class GatedUnitTests
{
    private const float Alpha = 1.702f;
    private const float Limit = 7;

    public static TheoryData<GateActivation> Units => [GateActivation.Silu, GateActivation.GeluTanh, GateActivation.ClampedSwish];

    [Theory]
    [MemberData(nameof(Units))]
    public void Agrees_with_double_precision_from_one_extreme_to_the_other(GateActivation activation)
    {
        float[] gate = [-200, 200, -88, 88, -Limit, Limit, 6.999f, 7.001f, 0, -0f, 1e-20f, .. Range(-20, 20, 0.0137f)];
        float[] up = [.. gate.Select((_, i) => ((i % 41) - 20) * 0.71f)];

        float[] y = Apply(activation, gate, up, rows: 1);

        for (int i = 0; i < y.Length; i++)
        {
            double expected = Reference(activation, gate[i], up[i]);
            Assert.InRange(y[i], expected - 1e-12 - (4e-6 * Math.Abs(expected)), expected + 1e-12 + (4e-6 * Math.Abs(expected)));
        }
    }

    [Theory]
    [MemberData(nameof(Units))]
    public void A_number_has_the_same_bits_wherever_it_stands(GateActivation activation)
    {
        const int Width = 21; // two vectors and a tail
        float[] gate = [.. Enumerable.Repeat(1.2345f, 3 * Width)];
        float[] up = [.. Enumerable.Repeat(-0.678f, 3 * Width)];

        float[] y = Apply(activation, gate, up, rows: 3);

        Assert.All(y, value => Assert.Equal(y[0], value));
    }

    [Fact]
    public void Refuses_a_unit_that_does_not_exist() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Apply((GateActivation)9, [1], [1], rows: 1));

    [Fact]
    public void Tanh_is_within_three_ten_millionths_and_keeps_its_sign_and_bounds()
    {
        foreach (float x in (float[])[-200, -0f, 0, 200, float.PositiveInfinity, float.NegativeInfinity, .. Range(-12, 12, 0.00137f)])
        {
            float actual = VectorMath.Tanh(Vector256.Create(x)).ToScalar();
            Assert.InRange(actual, Math.Tanh(x) - 3e-7, Math.Tanh(x) + 3e-7);
            Assert.InRange(actual, -1, 1);
            Assert.Equal(float.IsNegative(x), float.IsNegative(actual));
        }
    }

    private static float[] Apply(GateActivation activation, float[] gate, float[] up, int rows)
    {
        int width = gate.Length / rows;
        float[] y = new float[gate.Length];
        fixed (float* g = gate, u = up, destination = y)
        {
            GatedUnit.Apply(new GateSpec(activation, Alpha, Limit), g, width, u, width, destination, width, rows, width);
        }

        return y;
    }

    private static double Reference(GateActivation activation, double gate, double up)
    {
        switch (activation)
        {
            case GateActivation.Silu:
                return gate / (1 + Math.Exp(-gate)) * up;
            case GateActivation.GeluTanh:
                // ½·(1 + tanh u) cancels where u is far below 0: the same as the sigmoid of 2u.
                double u = Math.Sqrt(2 / Math.PI) * (gate + (0.044715 * gate * gate * gate));
                return gate / (1 + Math.Exp(-2 * u)) * up;
            default:
                double cut = Math.Min(gate, Limit);
                return (Math.Clamp(up, -Limit, Limit) + 1) * cut / (1 + Math.Exp(-(double)Alpha * cut));
        }
    }

    private static IEnumerable<float> Range(float from, float to, float step)
    {
        for (float x = from; x <= to; x += step)
        {
            yield return x;
        }
    }
}
