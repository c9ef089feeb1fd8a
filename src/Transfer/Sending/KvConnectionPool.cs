namespace Serving.Transfer.Sending;

/// <summary>
/// A sender's connections: at most <see cref="KvTransferOptions.ConnectionsMax"/> in use, the idle ones kept for
/// <see cref="KvTransferOptions.IdleTimeout"/> and checked before they are used again.
/// </summary>
internal sealed class KvConnectionPool : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<SenderConnection> _idle = [];
    private readonly SemaphoreSlim _free;
    private readonly SenderContext _context;
    private readonly ITimer _sweep;
    private int _inUse;
    private bool _disposed;

    public KvConnectionPool(SenderContext context)
    {
        _context = context;
        _free = new SemaphoreSlim(context.Options.ConnectionsMax);
        TimeSpan period = context.Options.IdleTimeout / 2;
        _sweep = context.Time.CreateTimer(static pool => ((KvConnectionPool)pool!).Sweep(), this, period, period);
    }

    public int OpenConnections
    {
        get
        {
            lock (_gate)
            {
                return _idle.Count + _inUse;
            }
        }
    }

    /// <param name="fresh">Do not take a pooled connection.</param>
    public async Task<ConnectResult> AcquireAsync(KvEndpoint receiver, bool fresh, CancellationToken cancel)
    {
        try
        {
            if (!await _free.WaitAsync(_context.Options.ProgressTimeout, cancel))
            {
                return ConnectResult.Fail(TransferStatus.PeerLost, $"none of {_context.Options.ConnectionsMax} KV connections came free");
            }
        }
        catch (OperationCanceledException)
        {
            return ConnectResult.Fail(TransferStatus.Aborted, "cancelled by the sender");
        }

        lock (_gate)
        {
            _inUse++;
        }

        SenderConnection? pooled = fresh ? null : TakeIdle(receiver);
        ConnectResult result = pooled is null
            ? await SenderConnection.ConnectAsync(receiver, _context, cancel)
            : new ConnectResult(pooled, default);
        if (result.Connection is null)
        {
            Release(null, reusable: false);
        }

        return result;
    }

    public void Release(SenderConnection? connection, bool reusable)
    {
        lock (_gate)
        {
            _inUse--;
            if (connection is not null && reusable && !_disposed && _idle.Count < _context.Options.ConnectionsMax)
            {
                connection.UsedAt = _context.Time.GetTimestamp();
                _idle.Add(connection);
                connection = null;
            }
        }

        connection?.Dispose();
        _free.Release();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _idle.ForEach(static connection => connection.Dispose());
            _idle.Clear();
        }

        _sweep.Dispose();
    }

    /// <summary>The connection that was used last, so that those not needed grow old and go.</summary>
    private SenderConnection? TakeIdle(KvEndpoint receiver)
    {
        lock (_gate)
        {
            for (int i = _idle.Count - 1; i >= 0; i--)
            {
                SenderConnection connection = _idle[i];
                if (connection.Receiver != receiver)
                {
                    continue;
                }

                _idle.RemoveAt(i);
                if (!connection.IsStale)
                {
                    return connection;
                }

                connection.Dispose();
            }

            return null;
        }
    }

    private void Sweep()
    {
        lock (_gate)
        {
            for (int i = _idle.Count - 1; i >= 0; i--)
            {
                SenderConnection connection = _idle[i];
                if (_context.Time.GetElapsedTime(connection.UsedAt) >= _context.Options.IdleTimeout || connection.IsStale)
                {
                    _idle.RemoveAt(i);
                    connection.Dispose();
                }
            }
        }
    }
}
