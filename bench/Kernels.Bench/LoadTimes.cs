using System.Diagnostics;
using Serving.Engine.Execution;
using Serving.Engine.Execution.Cpu;
using Serving.Engine.Kernels;
using Serving.Engine.PackedWeights;

namespace Serving.Kernels.Bench;

/// <summary>
/// How long a model takes to load, time after time: packed into memory, packed into a file of a weight cache, and mapped from it. The very first load compiles the code
/// and reads the model's file.
/// </summary>
internal static class LoadTimes
{
    private const int Repeats = 5;

    public static void Print(string path)
    {
        string folder = Directory.CreateTempSubdirectory("serving-load-").FullName;
        using ComputePool pool = new(Environment.ProcessorCount);
        try
        {
            foreach (ComputeClass computeClass in new[] { ComputeClass.Fast, ComputeClass.Fp32 })
            {
                for (int i = 0; i < Repeats; i++)
                {
                    Load(path, new ModelLoadOptions { ComputeClass = computeClass, KvBlocks = 128 }, pool);
                }

                for (int i = 0; i < Repeats; i++)
                {
                    // The first load of a cache packs, the second maps.
                    string fresh = Path.Combine(folder, $"{computeClass}-{i}");
                    var options = new ModelLoadOptions
                    {
                        ComputeClass = computeClass,
                        KvBlocks = 128,
                        WeightCache = new WeightCache(new WeightCacheOptions { Folder = fresh }, TimeProvider.System),
                    };
                    Load(path, options, pool);
                    Load(path, options, pool);
                    Directory.Delete(fresh, recursive: true);
                }
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Load(string path, ModelLoadOptions options, ComputePool pool)
    {
        TimeSpan used = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        using CpuModelExecutor executor = ModelLoader.Load(path, options, pool);
        Console.WriteLine(
            $"{executor.Model.ComputePath}, {executor.WeightCache.Place}: {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms, "
            + $"{(Environment.CpuUsage.TotalTime - used).TotalMilliseconds:F0} ms of processor time; {executor.WeightBytes / 1e6:F1} MB of its own, {executor.MappedBytes / 1e6:F1} MB mapped");
    }
}
