using System.Runtime.Intrinsics;
using Serving.Engine.Kernels;

namespace Serving.Engine.Execution.Cpu;

/// <summary>Sums and multiples of rows.</summary>
internal static unsafe class RowMath
{
    /// <summary><c>y[i] += x[i]</c>.</summary>
    public static void Add(float* x, float* y, long count)
    {
        long i = 0;
        for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            (Vector256.Load(y + i) + Vector256.Load(x + i)).Store(y + i);
        }

        for (; i < count; i++)
        {
            y[i] += x[i];
        }
    }

    /// <summary><c>y[i] += scale · x[i]</c>.</summary>
    public static void AddScaled(float* x, float scale, float* y, int count)
    {
        int i = 0;
        for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            Vector256.FusedMultiplyAdd(Vector256.Load(x + i), Vector256.Create(scale), Vector256.Load(y + i)).Store(y + i);
        }

        for (; i < count; i++)
        {
            y[i] = MathF.FusedMultiplyAdd(x[i], scale, y[i]);
        }
    }

    /// <summary><c>y[i] *= scale</c>.</summary>
    public static void Scale(float* y, float scale, int count)
    {
        for (int i = 0; i < count; i++)
        {
            y[i] *= scale;
        }
    }

    /// <summary>Cuts off at ±<paramref name="limit"/>.</summary>
    public static void Clamp(float* y, float limit, int count)
    {
        for (int i = 0; i < count; i++)
        {
            y[i] = Math.Clamp(y[i], -limit, limit);
        }
    }

    /// <summary><c>y[i] = softcap · tanh(y[i] / softcap)</c>.</summary>
    public static void Softcap(float* y, float softcap, long count)
    {
        for (long i = 0; i < count; i++)
        {
            y[i] = softcap * VectorMath.Tanh(Vector256.Create(y[i] / softcap)).ToScalar();
        }
    }

    /// <summary>Adds one row to each of <paramref name="rows"/> rows, which are <paramref name="stride"/> floats apart.</summary>
    public static void AddToRows(ReadOnlySpan<float> row, float* y, int stride, int rows)
    {
        fixed (float* x = row)
        {
            for (int r = 0; r < rows; r++)
            {
                Add(x, y + ((long)r * stride), row.Length);
            }
        }
    }
}
