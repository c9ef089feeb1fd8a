namespace Serving.TestKit;

/// <summary>Measures what code does once it has settled.</summary>
public static class SteadyState
{
    private const int Windows = 7;

    /// <summary>
    /// Bytes that this thread allocates while something runs: the median of several times. What the runtime makes once, such as what a thread waits with when it has to wait
    /// for the first time, is in one of them; what is ours would be in each.
    /// </summary>
    public static long AllocatedBytes(Action run)
    {
        ArgumentNullException.ThrowIfNull(run);
        run();
        long[] windows = new long[Windows];
        for (int i = 0; i < Windows; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            run();
            windows[i] = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Array.Sort(windows);
        return windows[Windows / 2];
    }
}
