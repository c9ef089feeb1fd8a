using Microsoft.Extensions.Logging;
using Serving.Transfer.Sending;

namespace Serving.Transfer;

/// <summary>
/// The prefill side of the KV data plane: pushes a prompt's KV cache to the receiver that expects it. Connections are authenticated once, kept
/// and used again. Safe for concurrent use; each transfer has a connection of its own.
/// </summary>
public sealed partial class KvSender : IDisposable
{
    private readonly KvConnectionPool _pool;
    private readonly SenderContext _context;
    private readonly ILogger _logger;

    /// <param name="key">Shared by all workers and by nobody else: at least 16 bytes, derived from the cluster secret.</param>
    public KvSender(KvTransferOptions options, ReadOnlySpan<byte> key, TimeProvider time, KvTransferMetrics metrics, ILogger<KvSender> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(key.Length, 16, nameof(key));
        _logger = logger;
        _context = new SenderContext(options, key.ToArray(), time, metrics);
        _pool = new KvConnectionPool(_context);
    }

    /// <summary>Connections, idle ones included.</summary>
    public int OpenConnections => _pool.OpenConnections;

    /// <summary>
    /// Sends every layer of every block of <paramref name="source"/> and waits for the receiver's acknowledgement. Does not throw for what the
    /// network or the peer does, nor for <paramref name="cancel"/>: the receiver is told, and the result is <see cref="TransferStatus.Aborted"/>.
    /// The source is not read after the returned task has completed.
    /// </summary>
    public async Task<TransferResult> SendAsync(
        KvEndpoint receiver, LeaseId lease, KvTransferShape shape, IKvSource source, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(source);

        TransferResult result = await AttemptAsync(receiver, lease, shape, source, fresh: false, cancel)
            ?? await AttemptAsync(receiver, lease, shape, source, fresh: true, cancel)
            ?? TransferResult.Failed(TransferStatus.PeerLost, "the receiver closed the connection");
        _context.Metrics.Sent(result);
        if (!result.IsCompleted)
        {
            LogTransferFailed(lease, receiver, result);
        }

        return result;
    }

    public void Dispose() => _pool.Dispose();

    /// <summary>Null: the connection was gone before the receiver answered, as happens to pooled ones. Nothing was sent, so another may try.</summary>
    private async Task<TransferResult?> AttemptAsync(
        KvEndpoint receiver, LeaseId lease, KvTransferShape shape, IKvSource source, bool fresh, CancellationToken cancel)
    {
        ConnectResult connect = await _pool.AcquireAsync(receiver, fresh, cancel);
        if (connect.Connection is not { } connection)
        {
            return connect.Failure;
        }

        bool reusable = false;
        try
        {
            using SenderTransfer transfer = new(connection, _context, lease, shape, source);
            TransferResult? result = await transfer.RunAsync(cancel);
            reusable = result is { Status: TransferStatus.Completed or TransferStatus.Refused };
            return result;
        }
        finally
        {
            _pool.Release(connection, reusable);
        }
    }
}
