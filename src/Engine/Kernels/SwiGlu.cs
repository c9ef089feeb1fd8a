using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Serving.Engine.Kernels;

/// <summary>The gated unit of the feed-forward block (Shazeer, arXiv 2002.05202).</summary>
public static unsafe class SwiGlu
{
    /// <summary><c>y[r, i] = gate · sigmoid(gate) · up</c>. y may be gate or up.</summary>
    public static void Apply(float* gate, int gateStride, float* up, int upStride, float* y, int yStride, int rows, int width)
    {
        for (int row = 0; row < rows; row++)
        {
            ApplyRow(gate + ((long)row * gateStride), up + ((long)row * upStride), y + ((long)row * yStride), width);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ApplyRow(float* gate, float* up, float* y, int width)
    {
        int i = 0;
        for (; i <= width - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            Gate(Vector256.Load(gate + i), Vector256.Load(up + i)).Store(y + i);
        }

        for (; i < width; i++)
        {
            y[i] = Gate(Vector256.Create(gate[i]), Vector256.Create(up[i])).ToScalar();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Gate(Vector256<float> gate, Vector256<float> up) =>
        gate / (Vector256<float>.One + VectorMath.Exp(-gate)) * up;
}
