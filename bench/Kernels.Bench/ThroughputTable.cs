using System.Diagnostics;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;

namespace Serving.Kernels.Bench;

/// <summary>The figures at a glance: GOP/s of the products by rows, weights' GB/s at one row, and the memory's GB/s. Medians; under a minute.</summary>
internal static class ThroughputTable
{
    private const int Repeats = 7;
    private static readonly int[] RowCounts = [1, 2, 4, 8, 16, 64, 512];

    public static void Print(KernelSelection selection)
    {
        using ComputePool pool = new(Environment.ProcessorCount);
        Console.WriteLine($"{ProcessorName()}, {pool.ThreadCount} threads, {selection.Name}; medians of {Repeats}");
        using (ReadBandwidth read = new())
        {
            Console.WriteLine($"plain read: {ReadBandwidth.ByteCount / Median(() => read.Run(pool)) / 1e9:F1} GB/s");
        }

        Console.WriteLine($"GOP/s at rows     {string.Join("", RowCounts.Select(rows => $"{rows,8}"))}   GB/s at 1");
        NumericClass[] classes = [new Int8BlockNumericClass(selection), new Fp32NumericClass(selection)];
        foreach (NumericClass numericClass in classes)
        {
            foreach (string shape in ProductShape.All.Take(numericClass is Fp32NumericClass ? 1 : 3))
            {
                PrintProduct(numericClass, shape, pool);
            }
        }
    }

    private static void PrintProduct(NumericClass numericClass, string shape, ComputePool pool)
    {
        (int inputs, int outputs, GgmlType type) = ProductShape.Parse(shape);
        double gigabytes = 0;
        Console.Write($"{shape,-15}{(numericClass is Fp32NumericClass ? "f32" : "   ")}");
        foreach (int rows in RowCounts)
        {
            using MatrixRing ring = new(numericClass, type, inputs, outputs, rows);
            double seconds = Median(() => ring.MultiplyAll(pool)) / ring.Count;
            Console.Write($"{2.0 * inputs * outputs * rows / seconds / 1e9,8:F0}");
            gigabytes = rows == 1 ? ring.ResidentBytes / seconds / 1e9 : gigabytes;
        }

        Console.WriteLine($"{gigabytes,12:F1}");
    }

    private static double Median(Action action)
    {
        action();
        double[] seconds = new double[Repeats];
        for (int i = 0; i < Repeats; i++)
        {
            long start = Stopwatch.GetTimestamp();
            action();
            seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        Array.Sort(seconds);
        return seconds[Repeats / 2];
    }

    public static string ProcessorName() => File.Exists("/proc/cpuinfo")
        ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(": ")[1] ?? "unknown processor"
        : "unknown processor";
}
