using System.Diagnostics;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;

namespace Serving.Kernels.Bench;

/// <summary>The time of one layer's attention, for every way to store the KV cache: medians over the layers of a model.</summary>
internal static class AttentionTable
{
    private const int Runs = 300;

    private static readonly (int Sequences, int Computed, int Rows)[] _settings = [(1, 127, 1), (1, 1023, 1), (1, 2047, 1), (32, 191, 1), (1, 0, 512)];

    public static void Print(KernelSelection selection)
    {
        using ComputePool pool = new(Environment.ProcessorCount);
        Console.WriteLine($"attention of one layer, {pool.ThreadCount} threads, {selection.Name}; medians of {Runs}: µs (GB/s of keys and values)");
        foreach ((int sequences, int computed, int rows) in _settings)
        {
            Console.Write($"{sequences,2} x {rows,3} rows after {computed,4}:");
            foreach (KvDataType type in Enum.GetValues<KvDataType>())
            {
                using AttentionSetting setting = new(sequences, computed, rows, type);
                double seconds = Median(setting, pool);
                Console.Write($"  {type} {seconds * 1e6,6:F0} ({setting.KeyValueBytes / seconds / 1e9,4:F1})");
            }

            Console.WriteLine();
        }
    }

    private static double Median(AttentionSetting setting, ComputePool pool)
    {
        double[] seconds = new double[Runs];
        for (int i = -Runs; i < Runs; i++)
        {
            long start = Stopwatch.GetTimestamp();
            setting.Run(pool);
            seconds[Math.Max(i, 0)] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        Array.Sort(seconds);
        return seconds[Runs / 2];
    }
}
