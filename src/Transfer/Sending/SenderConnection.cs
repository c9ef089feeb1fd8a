using System.Net.Sockets;
using Serving.Transfer.Wire;

namespace Serving.Transfer.Sending;

/// <summary>An authenticated connection to a receiver.</summary>
internal sealed class SenderConnection(KvEndpoint receiver, Socket socket, long seed) : IDisposable
{
    public KvEndpoint Receiver => receiver;

    public Socket Socket => socket;

    public long Seed => seed;

    /// <summary>When it was last used: a stamp of the sender's clock.</summary>
    public long UsedAt { get; set; }

    /// <summary>An idle connection has nothing to read: anything readable is its end.</summary>
    public bool IsStale
    {
        get
        {
            try
            {
                return socket.Poll(0, SelectMode.SelectRead);
            }
            catch (SocketException)
            {
                return true;
            }
        }
    }

    public static async Task<ConnectResult> ConnectAsync(KvEndpoint receiver, SenderContext context, CancellationToken cancel)
    {
        using CancellationTokenSource timeout = new(context.Options.HandshakeTimeout, context.Time);
        using CancellationTokenRegistration cancelled = cancel.UnsafeRegister(static stop => ((CancellationTokenSource)stop!).Cancel(), timeout);
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.NoDelay = true;
            await socket.ConnectAsync(receiver.Host, receiver.Port, timeout.Token);
            HandshakeResult handshake = await Handshake.AsSenderAsync(socket, context.Key, timeout.Token);
            if (handshake.Failure is { } failure)
            {
                socket.Dispose();
                return ConnectResult.Fail(TransferStatus.Refused, $"{receiver}: {failure}");
            }

            return new ConnectResult(new SenderConnection(receiver, socket, handshake.Seed), default);
        }
        catch (OperationCanceledException)
        {
            socket.Dispose();
            return cancel.IsCancellationRequested
                ? ConnectResult.Fail(TransferStatus.Aborted, "cancelled by the sender")
                : ConnectResult.Fail(TransferStatus.PeerLost, $"{receiver}: no handshake within {context.Options.HandshakeTimeout.TotalSeconds:0.###} s");
        }
        catch (Exception failure) when (failure is SocketException or ArgumentException)
        {
            socket.Dispose();
            return ConnectResult.Fail(TransferStatus.PeerLost, $"{receiver}: {failure.Message}");
        }
    }

    public void Dispose() => socket.Dispose();
}
