using Microsoft.Extensions.Time.Testing;

namespace Serving.Transfer.Tests;

public sealed class LeaseTests
{
    private static readonly KvTransferShape _shape = new(2, 20, 16, 64);

    [Fact]
    public async Task Expires_when_nobody_comes_unless_it_is_renewed()
    {
        FakeTimeProvider time = new();
        await using Loopback loopback = new(time: time);
        KvLease lease = loopback.Receiver.Expect(_shape, new TestMemory(_shape));

        time.Advance(TimeSpan.FromSeconds(29));
        lease.Renew();
        time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(lease.Completion.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(TransferStatus.Expired, (await Loopback.EndOf(lease)).Status);
        lease.Renew();
        lease.Abort("too late");
        Assert.Equal(TransferStatus.Expired, (await lease.Completion).Status);
    }

    [Fact]
    public async Task A_sender_with_an_expired_or_unknown_lease_is_refused_and_keeps_its_connection()
    {
        FakeTimeProvider time = new();
        await using Loopback loopback = new(time: time);
        KvLease expired = loopback.Receiver.Expect(_shape, new TestMemory(_shape));
        time.Advance(loopback.Options.LeaseTimeout);

        TransferResult sent = await loopback.SendAsync(expired, TestMemory.Filled(_shape));
        TransferResult unknown = await loopback.Sender.SendAsync(loopback.Endpoint, LeaseId.New(), _shape, TestMemory.Filled(_shape), Loopback.Stop);

        Assert.Equal(TransferStatus.Refused, sent.Status);
        Assert.Equal(TransferStatus.Refused, unknown.Status);
        Assert.Contains("unknown", unknown.Reason);
        Assert.Equal(1, loopback.Sender.OpenConnections);
    }

    [Fact]
    public async Task A_lease_serves_once()
    {
        await using Loopback loopback = new();
        KvLease lease = loopback.Receiver.Expect(_shape, new TestMemory(_shape));
        Assert.True((await loopback.SendAsync(lease, TestMemory.Filled(_shape))).IsCompleted);
        Assert.Equal(TransferStatus.Refused, (await loopback.SendAsync(lease, TestMemory.Filled(_shape))).Status);
    }

    [Fact]
    public async Task A_sender_with_another_shape_is_refused_with_the_expected_one()
    {
        await using Loopback loopback = new();
        TestMemory sink = new(_shape);
        KvLease lease = loopback.Receiver.Expect(_shape, sink);
        KvTransferShape other = new(3, 20, 16, 64);

        TransferResult sent = await loopback.Sender.SendAsync(loopback.Endpoint, lease.LeaseId, other, TestMemory.Filled(other), Loopback.Stop);

        Assert.Equal(TransferStatus.Refused, sent.Status);
        Assert.Contains("2 layers x 20 tokens", sent.Reason);
        Assert.Equal(0, sink.Writes);
        lease.Abort("end of test");
    }

    [Fact]
    public async Task Idle_connections_are_closed_after_the_idle_time()
    {
        FakeTimeProvider time = new();
        await using Loopback loopback = new(time: time);
        KvLease lease = loopback.Receiver.Expect(_shape, new TestMemory(_shape));
        Assert.True((await loopback.SendAsync(lease, TestMemory.Filled(_shape))).IsCompleted);
        Assert.Equal(1, loopback.Sender.OpenConnections);

        time.Advance(loopback.Options.IdleTimeout * 1.5);

        Assert.Equal(0, loopback.Sender.OpenConnections);
        await Loopback.UntilAsync(() => loopback.Receiver.OpenConnections == 0, "the receiver has seen the end");
    }

    [Fact]
    public async Task Nobody_at_the_address_is_a_lost_peer()
    {
        await using Loopback loopback = new();
        TransferResult sent = await loopback.Sender.SendAsync(new KvEndpoint("127.0.0.1", 1), LeaseId.New(), _shape, TestMemory.Filled(_shape), Loopback.Stop);
        Assert.Equal(TransferStatus.PeerLost, sent.Status);
    }

    [Theory]
    [InlineData(0, 1, 1, 1)]
    [InlineData(1, 0, 1, 1)]
    [InlineData(1, 1, 65536, 1)]
    [InlineData(1, 1, 16, 2 * 1024 * 1024)]
    [InlineData(1000, int.MaxValue, 1, 1)]
    public void Refuses_a_shape_that_no_transfer_can_have(int layers, int tokens, int blockSize, int bytes) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new KvTransferShape(layers, tokens, blockSize, bytes));

    [Fact]
    public void A_lease_id_survives_its_bytes_and_other_lengths_are_refused()
    {
        LeaseId id = LeaseId.New();
        Assert.True(LeaseId.TryRead(id.ToByteArray(), out LeaseId back));
        Assert.Equal(id, back);
        Assert.False(LeaseId.TryRead(new byte[15], out _));
        Assert.NotEqual(id, LeaseId.New());
    }
}
