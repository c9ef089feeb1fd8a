using System.Diagnostics;
using Serving.Engine.Execution;
using Serving.Engine.Execution.Cpu;
using Serving.Engine.Kernels;

namespace Serving.Kernels.Bench;

/// <summary>How long a model takes to load, time after time: the first run compiles the code and reads the file, the others are warm.</summary>
internal static class LoadTimes
{
    private const int Repeats = 5;

    public static void Print(string path)
    {
        using ComputePool pool = new(Environment.ProcessorCount);
        foreach (ComputeClass computeClass in new[] { ComputeClass.Fast, ComputeClass.Fp32 })
        {
            for (int i = 0; i < Repeats; i++)
            {
                TimeSpan used = Environment.CpuUsage.TotalTime;
                long start = Stopwatch.GetTimestamp();
                using CpuModelExecutor executor = ModelLoader.Load(path, new ModelLoadOptions { ComputeClass = computeClass, KvBlocks = 128 }, pool);
                Console.WriteLine(
                    $"{executor.Model.ComputePath}: {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms, {(Environment.CpuUsage.TotalTime - used).TotalMilliseconds:F0} ms of processor time;"
                    + $" {executor.WeightBytes / 1e6:F1} MB repacked, {executor.MappedBytes / 1e6:F1} MB mapped");
            }
        }
    }
}
