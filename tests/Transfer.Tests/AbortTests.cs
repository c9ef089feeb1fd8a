using System.Net.Sockets;
using Serving.Transfer.Wire;

namespace Serving.Transfer.Tests;

public sealed class AbortTests
{
    // 25 MB in 1,024 frames: more than the sockets' buffers hold, so that a transfer can be caught half-way.
    private static readonly KvTransferShape _large = new(layers: 32, tokens: 512, blockSize: 16, bytesPerTokenPerLayer: 1536);

    [Fact]
    public async Task The_receivers_abort_ends_both_sides_and_nothing_is_written_after_it()
    {
        await using Loopback loopback = new();
        TaskCompletionSource halfWay = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TestMemory sink = new(_large)
        {
            OnWrite = (layer, _) =>
            {
                if (layer == 8)
                {
                    halfWay.TrySetResult();
                }
            },
        };
        KvLease lease = loopback.Receiver.Expect(_large, sink);
        TestMemory source = TestMemory.Filled(_large);
        Task<TransferResult> sending = Task.Run(() => loopback.SendAsync(lease, Slowed(source)), Loopback.Stop);
        await halfWay.Task.WaitAsync(TimeSpan.FromSeconds(20), Loopback.Stop);

        lease.Abort("the client has gone");

        TransferResult received = await Loopback.EndOf(lease);
        int writes = sink.Writes;
        Assert.Equal((TransferStatus.Aborted, "the client has gone"), (received.Status, received.Reason));
        TransferResult sent = await sending;
        Assert.Equal(TransferStatus.Aborted, sent.Status);
        Assert.Contains("the client has gone", sent.Reason);
        Assert.Equal(writes, sink.Writes);
        Assert.Equal(received.Bytes, (long)writes * _large.LayerBlockBytes);
    }

    [Fact]
    public async Task Abort_waits_for_a_write_that_has_begun_and_none_follows_its_end()
    {
        await using Loopback loopback = new();
        using ManualResetEventSlim inWrite = new();
        using ManualResetEventSlim goOn = new();
        KvLease? lease = null;
        bool wroteAfterTheEnd = false;
        TestMemory sink = new(_large)
        {
            OnWrite = (_, _) =>
            {
                inWrite.Set();
                goOn.Wait(Loopback.Stop);
                wroteAfterTheEnd |= lease!.Completion.IsCompleted;
            },
        };
        lease = loopback.Receiver.Expect(_large, sink);
        Task<TransferResult> sending = Task.Run(() => loopback.SendAsync(lease, TestMemory.Filled(_large)), Loopback.Stop);
        Assert.True(inWrite.Wait(TimeSpan.FromSeconds(20), Loopback.Stop));

        Task aborting = Task.Run(() => lease.Abort("stop"), Loopback.Stop);
        await Task.Delay(50, Loopback.Stop);
        Assert.False(lease.Completion.IsCompleted);
        goOn.Set();
        await aborting;

        Assert.Equal(TransferStatus.Aborted, (await Loopback.EndOf(lease)).Status);
        Assert.Equal(TransferStatus.Aborted, (await sending).Status);
        Assert.False(wroteAfterTheEnd);
        Assert.InRange(sink.Writes, 1, _large.Frames - 1);
    }

    [Fact]
    public async Task The_senders_cancellation_ends_both_sides_as_aborted()
    {
        await using Loopback loopback = new();
        using CancellationTokenSource cancel = new();
        TestMemory source = new(_large)
        {
            OnRead = (layer, _) =>
            {
                if (layer == 16)
                {
                    cancel.Cancel();
                }
            },
        };
        TestMemory sink = new(_large);
        KvLease lease = loopback.Receiver.Expect(_large, sink);

        TransferResult sent = await loopback.SendAsync(lease, source, cancel.Token);
        TransferResult received = await Loopback.EndOf(lease);

        Assert.Equal((TransferStatus.Aborted, "cancelled by the sender"), (sent.Status, sent.Reason));
        Assert.Equal(TransferStatus.Aborted, received.Status);
        Assert.Contains("cancelled by the sender", received.Reason);
        Assert.Equal(received.Bytes, (long)sink.Writes * _large.LayerBlockBytes);
    }

    [Fact]
    public async Task Cancelling_against_a_receiver_that_has_stopped_reading_ends_the_sender()
    {
        await using Loopback loopback = new();
        using TcpListener stuck = new(System.Net.IPAddress.Loopback, 0);
        stuck.Start();
        using CancellationTokenSource cancel = new();
        KvEndpoint endpoint = new("127.0.0.1", ((System.Net.IPEndPoint)stuck.LocalEndpoint).Port);
        Task<TransferResult> sending = loopback.Sender.SendAsync(endpoint, LeaseId.New(), _large, TestMemory.Filled(_large), cancel.Token);
        using Socket socket = await AcceptTransferAsync(stuck);
        await Task.Delay(100, Loopback.Stop);

        await cancel.CancelAsync();

        Assert.Equal(TransferStatus.Aborted, (await sending.WaitAsync(TimeSpan.FromSeconds(5), Loopback.Stop)).Status);
    }

    [Fact]
    public async Task A_receiver_that_stops_reading_is_lost_after_the_progress_timeout()
    {
        await using Loopback loopback = new(options => options.ProgressTimeout = TimeSpan.FromMilliseconds(300));
        using TcpListener stuck = new(System.Net.IPAddress.Loopback, 0);
        stuck.Start();
        KvEndpoint endpoint = new("127.0.0.1", ((System.Net.IPEndPoint)stuck.LocalEndpoint).Port);
        Task<TransferResult> sending = loopback.Sender.SendAsync(endpoint, LeaseId.New(), _large, TestMemory.Filled(_large), Loopback.Stop);
        using Socket socket = await AcceptTransferAsync(stuck);

        Assert.Equal(TransferStatus.PeerLost, (await sending.WaitAsync(TimeSpan.FromSeconds(10), Loopback.Stop)).Status);
    }

    [Fact]
    public async Task A_receiver_that_dies_half_way_is_lost()
    {
        await using Loopback loopback = new();
        using TcpListener dying = new(System.Net.IPAddress.Loopback, 0);
        dying.Start();
        KvEndpoint endpoint = new("127.0.0.1", ((System.Net.IPEndPoint)dying.LocalEndpoint).Port);
        Task<TransferResult> sending = loopback.Sender.SendAsync(endpoint, LeaseId.New(), _large, TestMemory.Filled(_large), Loopback.Stop);
        using (Socket socket = await AcceptTransferAsync(dying))
        {
            await socket.TryReceiveExactlyAsync(new byte[100_000], Loopback.Stop);
        }

        Assert.Equal(TransferStatus.PeerLost, (await sending.WaitAsync(TimeSpan.FromSeconds(10), Loopback.Stop)).Status);
    }

    [Fact]
    public async Task Closing_the_receiver_aborts_its_leases()
    {
        KvTransferShape shape = new(2, 20, 16, 64);
        await using Loopback loopback = new();
        KvLease lease = loopback.Receiver.Expect(shape, new TestMemory(shape));
        await loopback.Receiver.DisposeAsync();
        Assert.Equal(TransferStatus.Aborted, (await Loopback.EndOf(lease)).Status);
    }

    [Fact]
    public async Task A_sink_that_throws_ends_the_lease_and_the_sender_but_not_the_listener()
    {
        KvTransferShape shape = new(2, 20, 16, 64);
        await using Loopback loopback = new();
        KvLease lease = loopback.Receiver.Expect(shape, new TestMemory(shape) { OnWrite = (_, _) => throw new InvalidOperationException("no such block") });

        TransferResult sent = await loopback.SendAsync(lease, TestMemory.Filled(shape));

        Assert.Equal(TransferStatus.Aborted, sent.Status);
        Assert.Equal(TransferStatus.Aborted, (await Loopback.EndOf(lease)).Status);
        KvLease next = loopback.Receiver.Expect(shape, new TestMemory(shape));
        Assert.True((await loopback.SendAsync(next, TestMemory.Filled(shape))).IsCompleted);
    }

    /// <summary>A source that leaves the abort a moment to arrive, as a prefill under way does.</summary>
    private static SlowSource Slowed(TestMemory source) => new(source);

    private static async Task<Socket> AcceptTransferAsync(TcpListener listener)
    {
        Socket socket = await listener.AcceptSocketAsync(Loopback.Stop);
        HandshakeResult handshake = await Handshake.AsReceiverAsync(socket, Loopback.Key, Loopback.Stop);
        byte[] open = new byte[FrameHeader.Size + KvTransferShape.WireSize];
        Assert.True(await socket.TryReceiveExactlyAsync(open, Loopback.Stop));
        FrameHeader accept = new(FrameType.Accept, FrameHeader.Read(open).Lease, Generation: 1);
        Assert.True(await socket.TrySendFrameAsync(accept, string.Empty, handshake.Seed, Loopback.Stop));
        return socket;
    }

    private sealed class SlowSource(TestMemory source) : IKvSource
    {
        public void Read(int layer, int blockIndex, int slots, Span<byte> destination)
        {
            if (layer > 8 && blockIndex == 0)
            {
                Thread.Sleep(5);
            }

            source.Read(layer, blockIndex, slots, destination);
        }
    }
}
