using System.Diagnostics;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;
using Serving.Engine.Kernels;

namespace Serving.Kernels.Bench;

/// <summary>
/// Every weight format in the int8 class, its products taking turns with those of Q4_1 and with plain reads of memory, so that what others do on the machine
/// meets all three. Weights come from memory.
/// </summary>
internal static class FormatTable
{
    private const int Inputs = 1536;
    private const int Outputs = 2048;
    private const int Repeats = 9;
    private static readonly int[] _rowCounts = [8, 64];

    /// <param name="names">The formats, or none for all.</param>
    public static void Print(KernelSelection selection, string[] names)
    {
        using ComputePool pool = new(Environment.ProcessorCount);
        using ReadBandwidth read = new();
        Int8BlockNumericClass numericClass = new(selection);
        Console.WriteLine($"{ThroughputTable.ProcessorName()}, {pool.ThreadCount} threads, {selection.Name}; {Inputs}→{Outputs}; medians of {Repeats}");
        Console.WriteLine("format  bits/weight  one row: Gweights/s, of Q4_1's, GB/s, of a plain read;  GOP/s at 8 and 64 rows");
        foreach (GgmlType type in Enum.GetValues<GgmlType>())
        {
            if (BlockDecoder.HoldsWeights(type) && type != GgmlType.F32 && (names.Length == 0 || names.Contains(type.ToString())))
            {
                Print(numericClass, type, read, pool);
            }
        }
    }

    private static void Print(Int8BlockNumericClass numericClass, GgmlType type, ReadBandwidth read, ComputePool pool)
    {
        const double Weights = (double)Inputs * Outputs;
        double[] seconds;
        double bits;
        using (MatrixRing ring = new(numericClass, type, Inputs, Outputs, rows: 1))
        using (MatrixRing reference = new(numericClass, GgmlType.Q4_1, Inputs, Outputs, rows: 1))
        {
            seconds = Medians(() => ring.MultiplyAll(pool), () => reference.MultiplyAll(pool), () => read.Run(pool));
            seconds[0] /= ring.Count;
            seconds[1] /= reference.Count;
            bits = ring.ResidentBytes * 8 / Weights;
        }

        double bandwidth = bits / 8 * Weights / seconds[0];
        Console.Write(
            $"{type,-7} {bits,11:F2} {Weights / seconds[0] / 1e9,20:F1} {seconds[1] / seconds[0],12:P0} {bandwidth / 1e9,5:F1}"
            + $" {bandwidth / (ReadBandwidth.ByteCount / seconds[2]),15:P0}  ");
        foreach (int rows in _rowCounts)
        {
            using MatrixRing ring = new(numericClass, type, Inputs, Outputs, rows);
            Console.Write($"{2e-9 * Weights * rows * ring.Count / Medians(() => ring.MultiplyAll(pool))[0],8:F0}");
        }

        Console.WriteLine();
    }

    private static double[] Medians(params ReadOnlySpan<Action> actions)
    {
        double[][] seconds = new double[actions.Length][];
        for (int i = 0; i < actions.Length; i++)
        {
            seconds[i] = new double[Repeats];
            actions[i]();
        }

        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            for (int i = 0; i < actions.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                actions[i]();
                seconds[i][repeat] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
        }

        return Array.ConvertAll(seconds, times =>
        {
            Array.Sort(times);
            return times[Repeats / 2];
        });
    }
}
