using Serving.Transfer.Wire;

namespace Serving.Transfer.Tests;

/// <summary>What a receiver does with a peer that has the key and still misbehaves. Nothing may be written after the lease has ended.</summary>
public sealed class FaultySenderTests
{
    // 3 layers of 2 blocks, the second with 4 slots: 6 frames.
    private static readonly KvTransferShape _shape = new(layers: 3, tokens: 20, blockSize: 16, bytesPerTokenPerLayer: 24);

    [Fact]
    public Task A_flipped_bit_in_a_payload_is_corrupt() => CorruptAsync(1, (lease, sender) =>
    {
        byte[] frame = sender.Frame(sender.DataHeader(lease, 0, 1), new byte[4 * 24]);
        frame[FrameHeader.Size + 5] ^= 0x10;
        return sender.SendBytesAsync(frame);
    });

    [Fact]
    public Task A_flipped_bit_in_a_header_is_corrupt() => CorruptAsync(1, (lease, sender) =>
    {
        byte[] frame = sender.Frame(sender.DataHeader(lease, 0, 1), new byte[4 * 24]);
        frame[12] ^= 0x01;
        return sender.SendBytesAsync(frame);
    });

    [Fact]
    public Task The_same_block_twice_is_corrupt() => CorruptAsync(1, (lease, sender) => sender.SendDataAsync(lease, 0, 0));

    [Fact]
    public Task An_end_before_all_frames_is_corrupt() => CorruptAsync(1, (lease, sender) => sender.SendEndAsync(lease, _shape.Bytes, _shape.Frames));

    [Fact]
    public Task Wrong_totals_are_corrupt() => CorruptAsync(6, (lease, sender) => sender.SendEndAsync(lease, _shape.Bytes - 1, _shape.Frames));

    [Theory]
    [InlineData(3, 0)]
    [InlineData(-1, 0)]
    [InlineData(0, 2)]
    [InlineData(0, -1)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public Task A_layer_or_block_outside_the_shape_is_corrupt(int layer, int block) => CorruptAsync(1, (lease, sender) =>
        sender.SendAsync(sender.DataHeader(lease, 0, 0) with { Layer = layer, Block = block }, new byte[16 * 24]));

    [Theory]
    [InlineData(16, 16 * 24)]
    [InlineData(4, 16 * 24)]
    [InlineData(3, 3 * 24)]
    [InlineData(4, 0)]
    public Task Slots_or_bytes_that_are_not_the_blocks_own_are_corrupt(int slots, int bytes) => CorruptAsync(1, (lease, sender) =>
        sender.SendAsync(sender.DataHeader(lease, 0, 1) with { Slots = slots }, new byte[bytes]));

    [Fact]
    public Task A_length_beyond_the_largest_frame_is_corrupt_before_its_bytes_come() => CorruptAsync(1, (lease, sender) =>
    {
        byte[] frame = sender.Frame(sender.DataHeader(lease, 0, 1), []);
        BitConverter.TryWriteBytes(frame.AsSpan(20), int.MaxValue);
        return sender.SendBytesAsync(frame);
    });

    [Fact]
    public Task A_frame_of_another_lease_is_corrupt() => CorruptAsync(1, (lease, sender) =>
        sender.SendAsync(sender.DataHeader(lease, 0, 1) with { Lease = LeaseId.New() }, new byte[4 * 24]));

    [Fact]
    public Task A_late_frame_of_an_earlier_attempt_is_corrupt() => CorruptAsync(1, (lease, sender) =>
        sender.SendAsync(sender.DataHeader(lease, 0, 1) with { Generation = sender.Generation - 1 }, new byte[4 * 24]));

    [Fact]
    public Task A_frame_out_of_turn_is_corrupt() => CorruptAsync(1, (lease, sender) => sender.ClaimAsync(lease.LeaseId, lease.Shape));

    [Fact]
    public async Task A_sender_that_dies_at_any_byte_after_the_first_frame_is_lost()
    {
        await using Loopback loopback = new();
        int wholeFrame = FrameHeader.Size + 4 * 24;
        foreach (int cut in new[] { 0, 1, FrameHeader.Size - 1, FrameHeader.Size, FrameHeader.Size + 1, wholeFrame - 1, wholeFrame })
        {
            TestMemory sink = new(_shape);
            KvLease lease = loopback.Receiver.Expect(_shape, sink);
            using (FaultySender sender = await FaultySender.OpenAsync(loopback, lease))
            {
                await sender.SendDataAsync(lease, 0, 0);
                await sender.SendBytesAsync(sender.Frame(sender.DataHeader(lease, 0, 1), new byte[4 * 24])[..cut]);
            }

            TransferResult received = await Loopback.EndOf(lease);
            Assert.Equal(TransferStatus.PeerLost, received.Status);
            Assert.Equal(cut == wholeFrame ? 2 : 1, sink.Writes);
        }
    }

    [Fact]
    public async Task A_sender_that_dies_in_the_handshake_leaves_the_lease_for_another()
    {
        await using Loopback loopback = new();
        KvLease lease = loopback.Receiver.Expect(_shape, new TestMemory(_shape));
        using (FaultySender early = await FaultySender.ConnectAsync(loopback))
        {
            await early.SendBytesAsync("SKVT"u8.ToArray());
        }

        Assert.True((await loopback.SendAsync(lease, TestMemory.Filled(_shape))).IsCompleted);
    }

    [Fact]
    public async Task A_sender_that_dies_before_its_first_frame_may_come_back_under_a_new_generation()
    {
        await using Loopback loopback = new();
        KvLease lease = loopback.Receiver.Expect(_shape, new TestMemory(_shape));
        uint generation;
        using (FaultySender first = await FaultySender.OpenAsync(loopback, lease))
        {
            generation = first.Generation;
        }

        await Loopback.UntilAsync(() => loopback.Receiver.OpenConnections == 0, "the first connection is gone");
        using FaultySender second = await FaultySender.OpenAsync(loopback, lease);
        Assert.Equal(generation + 1, second.Generation);
        lease.Abort("end of test");
    }

    [Fact]
    public async Task A_sender_that_falls_silent_is_lost_after_the_progress_timeout()
    {
        await using Loopback loopback = new(options => options.ProgressTimeout = TimeSpan.FromMilliseconds(200));
        KvLease lease = loopback.Receiver.Expect(_shape, new TestMemory(_shape));
        using FaultySender sender = await FaultySender.OpenAsync(loopback, lease);
        await sender.SendDataAsync(lease, 0, 0);

        TransferResult received = await Loopback.EndOf(lease);
        Assert.Equal(TransferStatus.PeerLost, received.Status);
        Assert.Contains("silent", received.Reason);
    }

    [Fact]
    public async Task A_second_sender_for_the_same_lease_is_refused_and_disturbs_nothing()
    {
        await using Loopback loopback = new();
        TestMemory sink = new(_shape);
        KvLease lease = loopback.Receiver.Expect(_shape, sink);
        using FaultySender sender = await FaultySender.OpenAsync(loopback, lease);

        TransferResult refused = await loopback.SendAsync(lease, TestMemory.Filled(_shape));
        Assert.Equal(TransferStatus.Refused, refused.Status);

        await SendFramesAsync(sender, lease, 6);
        await sender.SendEndAsync(lease, _shape.Bytes, _shape.Frames);
        Assert.True((await Loopback.EndOf(lease)).IsCompleted);
    }

    private static async Task SendFramesAsync(FaultySender sender, KvLease lease, int count)
    {
        for (int i = 0; i < count; i++)
        {
            await sender.SendDataAsync(lease, i / 2, i % 2);
        }
    }

    /// <summary>Sends good frames, then the fault, then all good frames again: only those before the fault may reach the sink.</summary>
    private static async Task CorruptAsync(int goodFrames, Func<KvLease, FaultySender, Task> fault)
    {
        await using Loopback loopback = new();
        TestMemory sink = new(_shape);
        KvLease lease = loopback.Receiver.Expect(_shape, sink);
        using FaultySender sender = await FaultySender.OpenAsync(loopback, lease);
        await SendFramesAsync(sender, lease, goodFrames);
        await fault(lease, sender);
        await SendFramesAsync(sender, lease, 6);

        TransferResult received = await Loopback.EndOf(lease);
        Assert.Equal(TransferStatus.Corrupt, received.Status);
        Assert.Equal(goodFrames, sink.Writes);

        Assert.Equal(FrameRead.Frame, await sender.ReadAsync());
        Assert.Equal((FrameType.Abort, TransferStatus.Corrupt), (sender.Answer.Type, sender.Answer.Status));
        Assert.Equal(received.Reason, sender.AnswerText);
        Assert.Equal(FrameRead.Closed, await sender.ReadAsync());
        Assert.Equal(goodFrames, sink.Writes);
    }
}
