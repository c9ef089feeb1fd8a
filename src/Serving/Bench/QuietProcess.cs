using System.Diagnostics;

namespace Serving.Cli.Bench;

/// <summary>Sees to it that nothing in this process computes when a measurement begins: the other side's threads have ended or are parked, the JIT compiler is done.</summary>
internal static class QuietProcess
{
    private const double BusyPartMax = 0.05;
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Returns once a window has passed in which this process used next to no processor time.</summary>
    /// <exception cref="BenchException">Something goes on computing.</exception>
    public static void Wait()
    {
        var begin = Stopwatch.GetTimestamp();
        while (BusyPart() > BusyPartMax)
        {
            if (Stopwatch.GetElapsedTime(begin) > Patience)
            {
                throw new BenchException("Threads of this process go on computing between the measurements, which would slow the next one down: figures would mean nothing.");
            }
        }
    }

    private static double BusyPart()
    {
        var (wall, busy) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        Thread.Sleep(Window);
        return (Environment.CpuUsage.TotalTime - busy) / Stopwatch.GetElapsedTime(wall);
    }
}
