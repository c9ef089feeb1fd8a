namespace Serving.Storage.Leases;

/// <summary>A lease that is renewed for as long as this lives. Whoever works under it stops when <see cref="Lost"/> says so.</summary>
public sealed class HeldLease : IAsyncDisposable
{
    private readonly ILeaseStore _leases;
    private readonly string _name;
    private readonly string _holder;
    private readonly TimeSpan _duration;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _given = new();
    private readonly Task _renewing;

    private HeldLease(ILeaseStore leases, string name, string holder, long term, TimeSpan duration, long takenAt, TimeProvider time)
    {
        _leases = leases;
        _name = name;
        _holder = holder;
        _duration = duration;
        _time = time;
        Term = term;
        Lost = _lost.Token;
        _renewing = RenewAsync(takenAt);
    }

    /// <summary>Later than that of every holder before.</summary>
    public long Term { get; }

    /// <summary>Cancelled once another one may hold the lease.</summary>
    public CancellationToken Lost { get; }

    /// <summary>Null: another one holds it.</summary>
    /// <exception cref="StorageUnavailableException">Redis is away.</exception>
    public static async Task<HeldLease?> TakeAsync(ILeaseStore leases, string name, string holder, TimeSpan duration, TimeProvider time)
    {
        var takenAt = time.GetTimestamp();
        return await leases.TakeAsync(name, holder, duration) is { } term ? new HeldLease(leases, name, holder, term, duration, takenAt, time) : null;
    }

    /// <summary>Gives the lease back.</summary>
    public async ValueTask DisposeAsync()
    {
        await _given.CancelAsync();
        await _renewing;
        try
        {
            await _leases.ReleaseAsync(_name, _holder);
        }
        catch (StorageUnavailableException)
        {
            // It ends by itself.
        }

        _given.Dispose();
        _lost.Dispose();
    }

    private async Task RenewAsync(long renewedAt)
    {
        // Counted from before each call, so that this side gives up no later than the other side's clock lets go.
        while (_time.GetElapsedTime(renewedAt) < _duration)
        {
            try
            {
                await Task.Delay(_duration / 3, _time, _given.Token);
                var begun = _time.GetTimestamp();
                if (!await _leases.RenewAsync(_name, _holder, _duration))
                {
                    break;
                }

                renewedAt = begun;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (StorageUnavailableException)
            {
                // The lease may still be ours: the loop's condition tells until when.
            }
        }

        await _lost.CancelAsync();
    }
}
