using System.Diagnostics;

namespace Serving.Engine.Kernels;

/// <summary>Where one thread waits for a number to change: it spins at most 50 µs, then parks until the changer opens the gate.</summary>
internal sealed class SpinGate : IDisposable
{
    private static readonly long SpinTicksMax = Stopwatch.Frequency / 20_000;

    private readonly SemaphoreSlim _park = new(0);
    private int _parked;

    public void Open()
    {
        if (Interlocked.Exchange(ref _parked, 0) == 1)
        {
            _park.Release();
        }
    }

    public void WaitWhileEqual(ref int number, int value)
    {
        while (Spin(ref number, value))
        {
            Park(ref number, value);
        }
    }

    public void WaitUntilZero(ref int number)
    {
        for (int value = Volatile.Read(ref number); value != 0; value = Volatile.Read(ref number))
        {
            WaitWhileEqual(ref number, value);
        }
    }

    public void Dispose() => _park.Dispose();

    /// <returns>Whether the number is still the same at the end of the time.</returns>
    private static bool Spin(ref int number, int value)
    {
        long start = Stopwatch.GetTimestamp();
        do
        {
            for (int i = 0; i < 16; i++)
            {
                if (Volatile.Read(ref number) != value)
                {
                    return false;
                }

                Thread.SpinWait(1);
            }
        }
        while (Stopwatch.GetTimestamp() - start < SpinTicksMax);

        return true;
    }

    private void Park(ref int number, int value)
    {
        // The full fence orders "parked" before the second look: either this thread sees the change, or the changer sees "parked".
        Interlocked.Exchange(ref _parked, 1);
        if (Volatile.Read(ref number) != value && Interlocked.Exchange(ref _parked, 0) == 1)
        {
            return;
        }

        _park.Wait();
    }
}
