using System.Net.Sockets;
using Serving.Transfer.Wire;

namespace Serving.Transfer.Receiving;

/// <summary>One sender's connection: a handshake, then transfers one after another until either side leaves or breaks a rule.</summary>
internal sealed partial class ReceiverConnection : IDisposable
{
    /// <summary>One receive brings up to this many bytes: about ten frames of a small model.</summary>
    private const int ReceiveCapacity = 256 * 1024;

    /// <summary>How long a sender may take to hear an abort notice, and to hang up after it.</summary>
    private static readonly TimeSpan _abortTimeout = TimeSpan.FromSeconds(2);

    private readonly Socket _socket;
    private readonly ReceiverContext _context;
    private readonly CancellationTokenSource _stop;
    private readonly CancellationTokenRegistration _closing;
    private FrameReader? _reader;
    private long _seed;

    public ReceiverConnection(Socket socket, ReceiverContext context)
    {
        _socket = socket;
        _context = context;
        _stop = new CancellationTokenSource(Timeout.InfiniteTimeSpan, context.Time);
        _closing = context.Closing.UnsafeRegister(static stop => ((CancellationTokenSource)stop!).Cancel(), _stop);
        Peer = Describe(socket);
    }

    /// <summary>The sender's address, for logs.</summary>
    public string Peer { get; }

    public static string Describe(Socket socket)
    {
        try
        {
            return socket.RemoteEndPoint?.ToString() ?? "unknown";
        }
        catch (SocketException)
        {
            return "unknown";
        }
    }

    /// <summary>False, logged once, when the peer has not proved the key in time.</summary>
    public async Task<bool> AuthenticateAsync()
    {
        HandshakeResult result;
        _stop.CancelAfter(_context.Options.HandshakeTimeout);
        try
        {
            _socket.NoDelay = true;
            result = await Handshake.AsReceiverAsync(_socket, _context.Key, _stop.Token);
            _stop.CancelAfter(Timeout.InfiniteTimeSpan);
        }
        catch (OperationCanceledException) when (_context.Closing.IsCancellationRequested)
        {
            return false;
        }
        catch (OperationCanceledException)
        {
            result = HandshakeResult.Fail($"no handshake within {_context.Options.HandshakeTimeout.TotalSeconds:0.###} s");
        }
        catch (SocketException broken)
        {
            result = HandshakeResult.Fail(broken.Message);
        }

        if (result.Failure is { } failure)
        {
            LogRejected(Peer, failure);
            _context.Metrics.ConnectionRejected();
            return false;
        }

        _seed = result.Seed;
        _reader = new FrameReader(_socket, _seed, _stop);
        return true;
    }

    /// <summary>Serves transfers until the connection ends.</summary>
    public async Task ServeAsync()
    {
        FrameReader reader = _reader!;
        bool goOn = true;
        while (goOn)
        {
            reader.SilenceMax = 2 * _context.Options.IdleTimeout;
            FrameRead read;
            try
            {
                read = await reader.ReadAsync();
            }
            catch (OperationCanceledException)
            {
                return;
            }

            if (read is FrameRead.Closed or FrameRead.Lost)
            {
                return;
            }

            if (read == FrameRead.Damaged || reader.Header.Type != FrameType.Open)
            {
                LogRejected(Peer, read == FrameRead.Damaged ? "a damaged frame" : $"a frame of type {(int)reader.Header.Type} outside a transfer");
                return;
            }

            goOn = await OpenAsync(reader);
        }
    }

    public void Dispose()
    {
        _closing.Dispose();
        _reader?.Dispose();
        _socket.Dispose();
        _stop.Dispose();
    }

    /// <summary>False when the connection has to end.</summary>
    private async Task<bool> OpenAsync(FrameReader reader)
    {
        LeaseId id = reader.Header.Lease;
        KvLease? lease = _context.FindLease(id);
        if (lease is null)
        {
            return await RefuseAsync(id, "the lease is unknown: never granted, expired, or ended");
        }

        if (!lease.Shape.Matches(reader.Payload))
        {
            return await RefuseAsync(id, $"the lease has another shape: {lease.Shape}");
        }

        if (!lease.TryClaim(Wake, out uint generation))
        {
            return await RefuseAsync(id, "the lease is in use by another connection");
        }

        TransferResult result;
        reader.Grow(lease.Shape.LayerBlockBytes, ReceiveCapacity);
        reader.SilenceMax = _context.Options.ProgressTimeout;
        try
        {
            result = await TransferAsync(reader, lease, generation);
        }
        catch (Exception bug)
        {
            // The sink threw. The lease must end whatever happens here: somebody's blocks hang on it.
            result = lease.End(TransferStatus.Aborted, "the receiver failed: " + bug.Message);
            await NotifyAbortAsync(id, generation, result);
            throw;
        }

        switch (result.Status)
        {
            case TransferStatus.Completed:
                reader.Shrink();
                return await SendAsync(new FrameHeader(FrameType.Ack, id, generation), string.Empty);
            case TransferStatus.PeerLost:
                return false;
            default:
                await NotifyAbortAsync(id, generation, result);
                return false;
        }
    }

    private async Task<TransferResult> TransferAsync(FrameReader reader, KvLease lease, uint generation)
    {
        if (!await SendAsync(new FrameHeader(FrameType.Accept, lease.LeaseId, generation), string.Empty))
        {
            return Lose(lease, "the sender's connection broke");
        }

        while (true)
        {
            FrameRead read;
            try
            {
                read = await reader.ReadAsync();
            }
            catch (OperationCanceledException)
            {
                // Somebody ended the lease, or nothing came: End keeps the first reason.
                return lease.End(TransferStatus.PeerLost, $"the sender was silent for {_context.Options.ProgressTimeout.TotalSeconds:0.###} s");
            }

            switch (read)
            {
                case FrameRead.Closed or FrameRead.Lost:
                    return Lose(lease, "the sender's connection broke");
                case FrameRead.Damaged:
                    return lease.End(TransferStatus.Corrupt, "a damaged frame");
            }

            switch (reader.Header.Type)
            {
                case FrameType.Data:
                    StoreOutcome stored = lease.Store(reader.Header, reader.Payload, out string violation);
                    if (stored == StoreOutcome.Stored)
                    {
                        break;
                    }

                    return stored == StoreOutcome.Ended ? await lease.Completion : lease.End(TransferStatus.Corrupt, violation);
                case FrameType.End when reader.Header.Length == FrameTotals.Size:
                    return lease.Finish(reader.Header, FrameTotals.Read(reader.Payload));
                case FrameType.Abort:
                    lease.End(TransferStatus.Aborted, "the sender gave up: " + FrameText.Read(reader.Payload));
                    return TransferResult.Failed(TransferStatus.PeerLost, "the sender has hung up");
                default:
                    return lease.End(TransferStatus.Corrupt, $"a frame of type {(int)reader.Header.Type} inside a transfer");
            }
        }
    }

    /// <summary>Ends the wait for bytes, when the lease has ended elsewhere.</summary>
    private void Wake()
    {
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The connection saw the lease's end by itself and is gone.
        }
    }

    private static TransferResult Lose(KvLease lease, string reason)
    {
        lease.Lose(reason);
        return TransferResult.Failed(TransferStatus.PeerLost, reason);
    }

    private ValueTask<bool> RefuseAsync(LeaseId id, string reason)
    {
        LogRefused(Peer, id, reason);
        return SendAsync(new FrameHeader(FrameType.Refuse, id), reason);
    }

    /// <summary>
    /// Tells the sender why, then reads what is still under way and throws it away: closing with unread bytes would reset the connection, and
    /// the notice would be lost with it.
    /// </summary>
    private async Task NotifyAbortAsync(LeaseId id, uint generation, TransferResult result)
    {
        using CancellationTokenSource limit = new(_abortTimeout, _context.Time);
        using CancellationTokenRegistration closing = _context.Closing.UnsafeRegister(static stop => ((CancellationTokenSource)stop!).Cancel(), limit);
        byte[] discarded = new byte[64 * 1024];
        try
        {
            FrameHeader notice = new(FrameType.Abort, id, generation, Status: result.Status);
            if (await _socket.TrySendFrameAsync(notice, result.Reason, _seed, limit.Token))
            {
                _socket.Shutdown(SocketShutdown.Send);
                while (await _socket.ReceiveAsync(discarded.AsMemory(), limit.Token) > 0)
                {
                }
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or SocketException)
        {
            // The sender has gone, or does not leave: the connection is closed either way.
        }
    }

    private async ValueTask<bool> SendAsync(FrameHeader header, string reason)
    {
        _stop.CancelAfter(_context.Options.ProgressTimeout);
        try
        {
            return await _socket.TrySendFrameAsync(header, reason, _seed, _stop.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
