namespace Serving.ServiceDefaults.Cluster;

/// <summary>Wakes one waiting loop; any number of calls before it waits again count as one. Setting it is cheap and safe from any thread.</summary>
internal sealed class WakeSignal : IDisposable
{
    private readonly SemaphoreSlim _pending = new(0, 1);
    private int _isSet;

    public void Set()
    {
        if (Interlocked.Exchange(ref _isSet, 1) == 0)
        {
            _pending.Release();
        }
    }

    /// <summary>Returns when set, when the time is over or when cancelled; throws for none of these.</summary>
    public async Task WaitAsync(TimeSpan timeLimit, CancellationToken cancellationToken)
    {
        try
        {
            if (await _pending.WaitAsync(timeLimit, cancellationToken))
            {
                Volatile.Write(ref _isSet, 0);
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops: the caller looks.
        }
    }

    public void Dispose() => _pending.Dispose();
}
