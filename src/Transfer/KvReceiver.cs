using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Serving.Transfer.Receiving;

namespace Serving.Transfer;

/// <summary>
/// The decode side of the KV data plane: listens, and takes the transfers that it was told to expect. Nothing that a peer does ends the
/// listener: a connection that does not prove the key, or breaks the protocol, is closed and logged once.
/// </summary>
public sealed partial class KvReceiver : IAsyncDisposable
{
    private static readonly TimeSpan _acceptRetryDelay = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<LeaseId, KvLease> _leases = [];
    private readonly ConcurrentDictionary<ReceiverConnection, Task> _connections = [];
    private readonly CancellationTokenSource _closing = new();
    private readonly ReceiverContext _context;
    private readonly ILogger _logger;
    private Socket? _listener;
    private Task _accepting = Task.CompletedTask;
    private int _unauthenticated;

    /// <param name="key">Shared by all workers and by nobody else: at least 16 bytes, derived from the cluster secret.</param>
    public KvReceiver(KvTransferOptions options, ReadOnlySpan<byte> key, TimeProvider time, KvTransferMetrics metrics, ILogger<KvReceiver> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(key.Length, 16, nameof(key));
        _logger = logger;
        _context = new ReceiverContext(options, key.ToArray(), time, metrics, logger, FindLease, _closing.Token);
    }

    /// <summary>The port in use, once started.</summary>
    public int Port => ((IPEndPoint?)_listener?.LocalEndPoint)?.Port ?? throw new InvalidOperationException("The KV receiver has not been started.");

    /// <summary>Leases that have not ended.</summary>
    public int OpenLeases => _leases.Count;

    /// <summary>Connections, idle ones included.</summary>
    public int OpenConnections => _connections.Count;

    /// <summary>Begins to listen.</summary>
    /// <param name="host">An address of this machine, or a name of one.</param>
    /// <param name="port">0 takes any free port; see <see cref="Port"/>.</param>
    /// <exception cref="SocketException">The name is unknown, or the port is taken.</exception>
    public void Start(string host, int port)
    {
        IPAddress address = IPAddress.TryParse(host, out IPAddress? parsed) ? parsed : Dns.GetHostAddresses(host)[0];
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (address.Equals(IPAddress.IPv6Any))
        {
            _listener.DualMode = true;
        }

        _listener.Bind(new IPEndPoint(address, port));
        _listener.Listen(backlog: 128);
        _accepting = AcceptAsync(_listener);
        LogListening(_listener.LocalEndPoint!);
    }

    /// <summary>Makes ready for one transfer into <paramref name="sink"/>; its sender has to come within <see cref="KvTransferOptions.LeaseTimeout"/>.</summary>
    public KvLease Expect(KvTransferShape shape, IKvSink sink)
    {
        ObjectDisposedException.ThrowIf(_closing.IsCancellationRequested, this);
        KvLease lease = new(shape, sink, _context.Options.LeaseTimeout, _context.Time, EndLease);
        _leases[lease.LeaseId] = lease;
        lease.Renew();
        return lease;
    }

    /// <summary>Ends every lease as aborted, closes the connections and waits for their ends.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested)
        {
            return;
        }

        foreach (KvLease lease in _leases.Values)
        {
            lease.Abort("the receiver is closing");
        }

        await _closing.CancelAsync();
        _listener?.Dispose();
        await _accepting;
        await Task.WhenAll(_connections.Values);
        _closing.Dispose();
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                Admit(await listener.AcceptAsync(_closing.Token));
            }
            catch (Exception stopped) when (stopped is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException failure)
            {
                // The process is out of descriptors, or the peer was gone already. Neither is a reason to stop listening.
                LogAcceptFailed(failure.Message);
                await Task.Delay(_acceptRetryDelay, _context.Time, CancellationToken.None);
            }
        }
    }

    private void Admit(Socket socket)
    {
        if (_connections.Count >= _context.Options.ConnectionsMax)
        {
            Reject(socket, $"{_context.Options.ConnectionsMax} connections are open");
            return;
        }

        if (Volatile.Read(ref _unauthenticated) >= _context.Options.UnauthenticatedConnectionsMax)
        {
            Reject(socket, $"{_context.Options.UnauthenticatedConnectionsMax} connections have not proved the key yet");
            return;
        }

        Interlocked.Increment(ref _unauthenticated);
        ReceiverConnection connection = new(socket, _context);

        // Registered before it runs: a connection that ends at once must find itself to remove.
        Task<Task> run = new(() => RunAsync(connection));
        _connections[connection] = run.Unwrap();
        run.Start(TaskScheduler.Default);
    }

    private async Task RunAsync(ReceiverConnection connection)
    {
        try
        {
            bool authenticated;
            try
            {
                authenticated = await connection.AuthenticateAsync();
            }
            finally
            {
                Interlocked.Decrement(ref _unauthenticated);
            }

            if (authenticated)
            {
                await connection.ServeAsync();
            }
        }
        catch (Exception bug)
        {
            LogConnectionFailed(bug, connection.Peer);
        }
        finally
        {
            connection.Dispose();
            _connections.TryRemove(connection, out _);
        }
    }

    private void Reject(Socket socket, string reason)
    {
        LogRejected(ReceiverConnection.Describe(socket), reason);
        _context.Metrics.ConnectionRejected();
        socket.Dispose();
    }

    private KvLease? FindLease(LeaseId id) => _leases.GetValueOrDefault(id);

    private void EndLease(KvLease lease, TransferResult result)
    {
        _leases.TryRemove(lease.LeaseId, out _);
        _context.Metrics.Received(result);
        if (!result.IsCompleted)
        {
            LogTransferFailed(lease.LeaseId, result);
        }
    }
}
