using CsCheck;

namespace Serving.Transfer.Tests;

public sealed class RoundTripTests
{
    private static readonly Gen<KvTransferShape> _shapes =
        from layers in Gen.Int[1, 9]
        from tokens in Gen.Int[1, 150]
        from blockSize in Gen.Int[1, 33]
        from bytes in Gen.Int[1, 700]
        select new KvTransferShape(layers, tokens, blockSize, bytes);

    [Fact]
    public async Task Brings_every_byte_of_any_shape_across_and_uses_one_connection()
    {
        await using Loopback loopback = new();
        await _shapes.SampleAsync(
            async shape =>
            {
                TestMemory source = TestMemory.Filled(shape);
                TestMemory sink = new(shape);
                KvLease lease = loopback.Receiver.Expect(shape, sink);

                TransferResult sent = await loopback.SendAsync(lease, source);
                TransferResult received = await Loopback.EndOf(lease);

                Assert.Equal((TransferStatus.Completed, shape.Bytes), (sent.Status, sent.Bytes));
                Assert.Equal((TransferStatus.Completed, (long)shape.Layers * shape.Tokens * shape.BytesPerTokenPerLayer), (received.Status, received.Bytes));
                Assert.True(source.Bytes.SequenceEqual(sink.Bytes));
                Assert.Equal(shape.Frames, sink.Writes);
            },
            iter: 60,
            threads: 1);

        Assert.Equal(1, loopback.Sender.OpenConnections);
        Assert.Equal(1, loopback.Receiver.OpenConnections);
    }

    [Fact]
    public async Task Sends_a_frame_that_is_larger_than_a_batch()
    {
        KvTransferShape shape = new(layers: 3, tokens: 70, blockSize: 64, bytesPerTokenPerLayer: 16384);
        await using Loopback loopback = new();
        TestMemory source = TestMemory.Filled(shape);
        TestMemory sink = new(shape);
        KvLease lease = loopback.Receiver.Expect(shape, sink);

        Assert.True((await loopback.SendAsync(lease, source)).IsCompleted);
        Assert.True(source.Bytes.SequenceEqual(sink.Bytes));
    }

    [Fact]
    public async Task Twenty_transfers_at_once_arrive_over_fewer_connections()
    {
        KvTransferShape shape = new(layers: 12, tokens: 333, blockSize: 16, bytesPerTokenPerLayer: 768);
        await using Loopback loopback = new(options => options.ConnectionsMax = 6);
        List<(TestMemory Source, TestMemory Sink, KvLease Lease, Task<TransferResult> Sent)> transfers = [];
        for (int i = 0; i < 20; i++)
        {
            TestMemory source = TestMemory.Filled(shape, seed: i);
            TestMemory sink = new(shape);
            KvLease lease = loopback.Receiver.Expect(shape, sink);
            transfers.Add((source, sink, lease, Task.Run(() => loopback.SendAsync(lease, source), Loopback.Stop)));
        }

        foreach ((TestMemory source, TestMemory sink, KvLease lease, Task<TransferResult> sent) in transfers)
        {
            Assert.True((await sent).IsCompleted);
            Assert.True((await Loopback.EndOf(lease)).IsCompleted);
            Assert.True(source.Bytes.SequenceEqual(sink.Bytes));
        }

        Assert.InRange(loopback.Sender.OpenConnections, 1, 6);
        KvTransferSnapshot counted = loopback.SenderMetrics.Snapshot;
        Assert.Equal((20 * shape.Bytes, 20, 0), (counted.BytesSent, counted.TransfersSent, counted.TransfersFailed));
    }

    [Fact]
    public async Task A_connection_that_died_while_idle_is_replaced_without_a_failure()
    {
        KvTransferShape shape = new(2, 20, 16, 64);
        await using Loopback loopback = new();
        KvLease first = loopback.Receiver.Expect(shape, new TestMemory(shape));
        Assert.True((await loopback.SendAsync(first, TestMemory.Filled(shape))).IsCompleted);

        // The same port, a new process, as far as the sender can tell: its pooled connection is dead.
        int port = loopback.Receiver.Port;
        await loopback.Receiver.DisposeAsync();
        await using Loopback second = new(port: port);
        KvLease lease = second.Receiver.Expect(shape, new TestMemory(shape));

        TransferResult sent = await loopback.Sender.SendAsync(second.Endpoint, lease.LeaseId, shape, TestMemory.Filled(shape), Loopback.Stop);

        Assert.True(sent.IsCompleted);
        loopback.Sender.Dispose();
    }
}
