using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Serving.Engine.Models;

namespace Serving.Engine.Kernels;

/// <summary>Gated linear units (Shazeer, arXiv 2002.05202), as <see cref="GateActivation"/> defines them.</summary>
public static unsafe class GatedUnit
{
    private interface IGate
    {
        Vector256<float> Apply(Vector256<float> gate, Vector256<float> up);
    }

    /// <summary>Joins gate and up of <paramref name="rows"/> rows. y may be gate.</summary>
    /// <param name="gateStride">Floats between two rows of gate.</param>
    /// <param name="upStride">Floats between two rows of up.</param>
    /// <param name="yStride">Floats between two rows of y.</param>
    public static void Apply(GateSpec unit, float* gate, int gateStride, float* up, int upStride, float* y, int yStride, int rows, int width)
    {
        ArgumentNullException.ThrowIfNull(unit);
        for (int row = 0; row < rows; row++, gate += gateStride, up += upStride, y += yStride)
        {
            switch (unit.Activation)
            {
                case GateActivation.Silu:
                    ApplyRow(default(Silu), gate, up, y, width);
                    break;
                case GateActivation.GeluTanh:
                    ApplyRow(default(GeluTanh), gate, up, y, width);
                    break;
                case GateActivation.ClampedSwish:
                    ApplyRow(new ClampedSwish(unit.Alpha, unit.Limit), gate, up, y, width);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(unit), unit.Activation, "There is no such gated unit.");
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ApplyRow<TGate>(TGate unit, float* gate, float* up, float* y, int width)
        where TGate : struct, IGate
    {
        int i = 0;
        for (; i <= width - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            unit.Apply(Vector256.Load(gate + i), Vector256.Load(up + i)).Store(y + i);
        }

        for (; i < width; i++)
        {
            y[i] = unit.Apply(Vector256.Create(gate[i]), Vector256.Create(up[i])).ToScalar();
        }
    }

    private readonly struct Silu : IGate
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Apply(Vector256<float> gate, Vector256<float> up) => gate / (Vector256<float>.One + VectorMath.Exp(-gate)) * up;
    }

    private readonly struct GeluTanh : IGate
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Apply(Vector256<float> gate, Vector256<float> up)
        {
            // ½·(1 + tanh u) is the sigmoid of 2u, which keeps its precision where the tanh comes near −1.
            const float TwiceRootOfTwoOverPi = 1.5957691216f;
            Vector256<float> cubic = gate * Vector256.FusedMultiplyAdd(gate * gate, Vector256.Create(0.044715f), Vector256<float>.One);
            return gate / (Vector256<float>.One + VectorMath.Exp(cubic * Vector256.Create(-TwiceRootOfTwoOverPi))) * up;
        }
    }

    private readonly struct ClampedSwish(float alpha, float limit) : IGate
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Apply(Vector256<float> gate, Vector256<float> up)
        {
            gate = Vector256.Min(gate, Vector256.Create(limit));
            up = Vector256.Min(Vector256.Max(up, Vector256.Create(-limit)), Vector256.Create(limit));
            Vector256<float> swish = gate / (Vector256<float>.One + VectorMath.Exp(gate * Vector256.Create(-alpha)));
            return (up + Vector256<float>.One) * swish;
        }
    }
}
