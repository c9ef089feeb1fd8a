using System.Runtime.Intrinsics;

namespace Serving.Engine.Execution.Cpu;

/// <summary>Sums of rows.</summary>
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
