using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Serving.Engine.Kernels;

/// <summary>Root-mean-square normalisation (Zhang and Sennrich, arXiv 1910.07467).</summary>
public static unsafe class RmsNorm
{
    /// <summary><c>y[r, i] = x[r, i] · weight[i] / √(mean_i x[r, i]² + epsilon)</c>; the width is that of <paramref name="weight"/>. x may be y.</summary>
    /// <param name="xStride">Floats between two rows of x.</param>
    /// <param name="yStride">Floats between two rows of y.</param>
    public static void Apply(float* x, int xStride, ReadOnlySpan<float> weight, float epsilon, float* y, int yStride, int rows)
    {
        fixed (float* w = weight)
        {
            for (int row = 0; row < rows; row++)
            {
                ApplyRow(x + ((long)row * xStride), w, weight.Length, epsilon, y + ((long)row * yStride));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ApplyRow(float* x, float* weight, int width, float epsilon, float* y)
    {
        float scale = 1f / MathF.Sqrt((VectorMath.SumOfSquares(x, width) / width) + epsilon);
        int i = 0;
        for (; i <= width - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            (Vector256.Load(x + i) * Vector256.Create(scale) * Vector256.Load(weight + i)).Store(y + i);
        }

        for (; i < width; i++)
        {
            y[i] = x[i] * scale * weight[i];
        }
    }
}
