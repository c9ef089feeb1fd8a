using System.Diagnostics;
using Serving.TestKit;

namespace Serving.Formats.Bench;

/// <summary>Reads one format's damaged inputs one after the other.</summary>
internal sealed class FuzzRun(FormatTarget target, FuzzOptions options)
{
    private const int FailuresShownMax = 5;
    private static readonly TimeSpan _hang = TimeSpan.FromSeconds(60);

    private int _seed;
    private long _begun;
    private int _shown;

    /// <summary>Prints a row, before it what failed; false where something did.</summary>
    public bool Run()
    {
        target.ReadOriginal();
        int opened = 0;
        int failed = 0;
        long allocatedMax = 0;
        var slowest = TimeSpan.Zero;
        long start = Stopwatch.GetTimestamp();
        using var watchdog = new Timer(_ => Watch(), null, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5));
        for (int i = 0; i < options.Inputs; i++)
        {
            _seed = options.Seed + i;
            Volatile.Write(ref _begun, Stopwatch.GetTimestamp());
            FormatOutcome outcome = target.Try(_seed);
            bool isFailure = IsFailure(outcome);
            failed += isFailure ? 1 : 0;
            opened += outcome.Opened && !isFailure ? 1 : 0;
            allocatedMax = Math.Max(allocatedMax, outcome.AllocatedBytes);
            slowest = outcome.Elapsed > slowest ? outcome.Elapsed : slowest;
        }

        Volatile.Write(ref _begun, 0);
        double perSecond = options.Inputs / Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.WriteLine(
            $"{target.Name,-28}{opened,9}{options.Inputs - opened - failed,9}{failed,8}{allocatedMax / 1048576.0,9:F1}{slowest.TotalMilliseconds,9:F0}{perSecond,10:F0}");
        return failed == 0;
    }

    private bool IsFailure(FormatOutcome outcome)
    {
        string? problem = outcome.Failure is { } failure ? failure.ToString()
            : outcome.AllocatedBytes > FormatTargets.AllocatedBytesMax ? $"allocated {outcome.AllocatedBytes} bytes"
            : null;
        if (problem is not null && _shown++ < FailuresShownMax)
        {
            Console.WriteLine($"{target.Name}, seed {_seed}: {problem}");
        }

        return problem is not null;
    }

    /// <summary>A hang cannot be left, only reported: its input still lies in the folder.</summary>
    private void Watch()
    {
        if (Volatile.Read(ref _begun) is var begun and not 0 && Stopwatch.GetElapsedTime(begun) > _hang)
        {
            Console.WriteLine($"{target.Name}, seed {_seed}: hangs; the input lies in {target.Folder}");
            Environment.Exit(3);
        }
    }
}
