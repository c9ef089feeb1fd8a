using System.Diagnostics;
using Serving.Engine.Kernels;
using Serving.Engine.Models;

namespace Serving.Cli.Bench.Engine;

/// <summary>What no step can exceed on this machine, measured just now.</summary>
/// <param name="ReadBytesPerSecond">A plain read of memory by all threads.</param>
/// <param name="OperationsPerSecond">The matrix kernel with many rows, on the shape that most of the model's weights have.</param>
/// <param name="Kernel">That kernel.</param>
internal sealed record MachineBounds(double ReadBytesPerSecond, double OperationsPerSecond, string Kernel)
{
    private const int Rows = 512;
    private const int Passes = 7;

    public static MachineBounds Measure(MatrixWeight matrix, NumericClass numericClass, ComputePool pool)
    {
        using var memory = new ReadBandwidth();
        var (operations, kernel) = MeasureProduct(matrix, numericClass, pool);
        return new MachineBounds(memory.Measure(pool, Passes), operations, kernel);
    }

    private static unsafe (double OperationsPerSecond, string Kernel) MeasureProduct(MatrixWeight matrix, NumericClass numericClass, ComputePool pool)
    {
        using var weights = matrix.Data.Read(rows => numericClass.Pack(rows));
        using var x = numericClass.CreateActivations(Rows, matrix.Inputs);
        var y = new float[Rows * matrix.Outputs];
        for (var i = 0; i < Rows * matrix.Inputs; i++)
        {
            x.Values[i] = MathF.Sin(i);
        }

        x.Prepare(Rows, matrix.Inputs, pool);
        var best = double.PositiveInfinity;
        fixed (float* to = y)
        {
            for (var pass = 0; pass <= Passes; pass++)
            {
                var begin = Stopwatch.GetTimestamp();
                weights.Multiply(x, Rows, to, matrix.Outputs, pool);
                best = Math.Min(best, Stopwatch.GetElapsedTime(begin).TotalSeconds);
            }
        }

        return (2.0 * Rows * matrix.Inputs * matrix.Outputs / best, weights.KernelName);
    }
}
