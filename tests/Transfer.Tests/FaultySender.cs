using System.Net.Sockets;
using Serving.Transfer.Wire;

namespace Serving.Transfer.Tests;

/// <summary>A peer that speaks the protocol well up to a point that the test chooses, and then not.</summary>
internal sealed class FaultySender : IDisposable
{
    private readonly Socket _socket;
    private readonly CancellationTokenSource _stop = new(TimeSpan.FromSeconds(20));
    private FrameReader? _reader;

    private FaultySender(Socket socket) => _socket = socket;

    public long Seed { get; private set; }

    public uint Generation { get; set; }

    public Socket Socket => _socket;

    public FrameHeader Answer => _reader!.Header;

    public string AnswerText => FrameText.Read(_reader!.Payload);

    public static async Task<FaultySender> ConnectAsync(Loopback loopback)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", loopback.Receiver.Port, Loopback.Stop);
        return new FaultySender(socket);
    }

    /// <summary>Connected, authenticated, and with the lease claimed.</summary>
    public static async Task<FaultySender> OpenAsync(Loopback loopback, KvLease lease)
    {
        FaultySender sender = await AuthenticatedAsync(loopback);
        await sender.ClaimAsync(lease.LeaseId, lease.Shape);
        Assert.Equal(FrameRead.Frame, await sender.ReadAsync());
        Assert.Equal(FrameType.Accept, sender.Answer.Type);
        sender.Generation = sender.Answer.Generation;
        return sender;
    }

    public static async Task<FaultySender> AuthenticatedAsync(Loopback loopback)
    {
        FaultySender sender = await ConnectAsync(loopback);
        HandshakeResult result = await Handshake.AsSenderAsync(sender._socket, Loopback.Key, Loopback.Stop);
        Assert.Null(result.Failure);
        sender.Seed = result.Seed;
        sender._reader = new FrameReader(sender._socket, result.Seed, sender._stop);
        return sender;
    }

    public Task ClaimAsync(LeaseId lease, KvTransferShape shape)
    {
        byte[] payload = new byte[KvTransferShape.WireSize];
        shape.Write(payload);
        return SendAsync(new FrameHeader(FrameType.Open, lease), payload);
    }

    public Task SendDataAsync(KvLease lease, int layer, int block) =>
        SendAsync(DataHeader(lease, layer, block), new byte[lease.Shape.SlotsOf(block) * lease.Shape.BytesPerTokenPerLayer]);

    public FrameHeader DataHeader(KvLease lease, int layer, int block) =>
        new(FrameType.Data, lease.LeaseId, Generation, 0, layer, block, lease.Shape.SlotsOf(block));

    public Task SendEndAsync(KvLease lease, long bytes, int frames)
    {
        byte[] payload = new byte[FrameTotals.Size];
        new FrameTotals(bytes, frames).Write(payload);
        return SendAsync(new FrameHeader(FrameType.End, lease.LeaseId, Generation), payload);
    }

    public Task SendAsync(FrameHeader header, byte[] payload) => SendBytesAsync(Frame(header, payload));

    public byte[] Frame(FrameHeader header, byte[] payload)
    {
        byte[] frame = new byte[FrameHeader.Size + payload.Length];
        payload.CopyTo(frame, FrameHeader.Size);
        (header with { Length = payload.Length }).Seal(frame, Seed);
        return frame;
    }

    public async Task SendBytesAsync(byte[] bytes) => await _socket.TrySendAllAsync(bytes, Loopback.Stop);

    public async Task<FrameRead> ReadAsync() => await _reader!.ReadAsync();

    /// <summary>True when the receiver has closed: nothing more comes.</summary>
    public async Task<bool> IsClosedAsync() => !await _socket.TryReceiveExactlyAsync(new byte[1], Loopback.Stop);

    public void Dispose()
    {
        _reader?.Dispose();
        _socket.Dispose();
        _stop.Dispose();
    }
}
