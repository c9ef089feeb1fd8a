using System.Diagnostics;

namespace Serving.Worker.Completions;

/// <summary>The time that a request has, on this process's monotonic clock; its answers share it however late they begin.</summary>
/// <param name="timeoutMs">0: no end.</param>
internal readonly struct Deadline(long timeoutMs)
{
    private static readonly TimeSpan _least = TimeSpan.FromMilliseconds(1);

    private readonly long _begun = Stopwatch.GetTimestamp();

    /// <summary>What is left, at least a millisecond, which the engine then finds exceeded; null: no end.</summary>
    public TimeSpan? TimeLeft
    {
        get
        {
            if (timeoutMs <= 0)
            {
                return null;
            }

            TimeSpan left = TimeSpan.FromMilliseconds(timeoutMs) - Stopwatch.GetElapsedTime(_begun);
            return left > _least ? left : _least;
        }
    }
}
