using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Serving.Transfer.Wire;

namespace Serving.Transfer.Tests;

public sealed class AuthenticationTests
{
    private static readonly KvTransferShape _shape = new(2, 20, 16, 64);

    [Fact]
    public async Task Refuses_a_sender_with_another_key_and_goes_on_listening()
    {
        await using Loopback loopback = new(senderKey: new byte[32]);
        KvLease lease = loopback.Receiver.Expect(_shape, new TestMemory(_shape));

        TransferResult sent = await loopback.SendAsync(lease, TestMemory.Filled(_shape));

        // The receiver proves itself first, so the sender with the wrong key is the one to find out, and shows no proof.
        Assert.Equal(TransferStatus.Refused, sent.Status);
        Assert.Contains("another key", sent.Reason);
        await AssertStillServesAsync(loopback, lease);
    }

    [Fact]
    public async Task Closes_on_a_wrong_proof_with_one_warning()
    {
        await using Loopback loopback = new();
        using FaultySender sender = await FaultySender.ConnectAsync(loopback);
        byte[] hello = Hello(Handshake.Version);
        await sender.SendBytesAsync(hello);
        Assert.True(await sender.Socket.TryReceiveExactlyAsync(new byte[Handshake.HelloSize + Handshake.ProofSize], Loopback.Stop));

        await sender.SendBytesAsync(new byte[Handshake.ProofSize]);

        Assert.True(await sender.IsClosedAsync());
        await AssertRejectedOnceAsync(loopback, "another key");
    }

    [Fact]
    public async Task A_proof_cannot_be_replayed_on_another_connection()
    {
        await using Loopback loopback = new();
        byte[] hello = Hello(Handshake.Version);
        byte[] proof = new byte[Handshake.ProofSize];
        for (int attempt = 0; attempt < 2; attempt++)
        {
            using FaultySender sender = await FaultySender.ConnectAsync(loopback);
            await sender.SendBytesAsync(hello);
            byte[] answer = new byte[Handshake.HelloSize + Handshake.ProofSize];
            Assert.True(await sender.Socket.TryReceiveExactlyAsync(answer, Loopback.Stop));
            if (attempt == 0)
            {
                byte[] message = [.. "serving-kv/1 sender"u8, .. hello.AsSpan(8), .. answer.AsSpan(8, Handshake.NonceSize)];
                System.Security.Cryptography.HMACSHA256.HashData(Loopback.Key, message, proof);
            }

            await sender.SendBytesAsync(proof);
            if (attempt == 1)
            {
                Assert.True(await sender.IsClosedAsync());
            }
        }

        await AssertRejectedOnceAsync(loopback, "another key");
    }

    [Fact]
    public async Task Closes_on_another_version_with_one_warning()
    {
        await using Loopback loopback = new();
        using FaultySender sender = await FaultySender.ConnectAsync(loopback);

        await sender.SendBytesAsync(Hello(version: 9));

        Assert.True(await sender.IsClosedAsync());
        await AssertRejectedOnceAsync(loopback, "version 9");
    }

    [Fact]
    public async Task Closes_on_junk_with_one_warning()
    {
        await using Loopback loopback = new();
        using FaultySender sender = await FaultySender.ConnectAsync(loopback);

        await sender.SendBytesAsync("GET / HTTP/1.1\r\nHost: somewhere\r\nAccept: */*\r\n\r\n"u8.ToArray());

        Assert.True(await sender.IsClosedAsync());
        await AssertRejectedOnceAsync(loopback, "does not speak");
    }

    [Fact]
    public async Task Closes_a_peer_that_does_not_finish_its_hello_in_time()
    {
        await using Loopback loopback = new(options => options.HandshakeTimeout = TimeSpan.FromMilliseconds(200));
        using FaultySender sender = await FaultySender.ConnectAsync(loopback);

        await sender.SendBytesAsync([0x53]);

        Assert.True(await sender.IsClosedAsync());
        await AssertRejectedOnceAsync(loopback, "no handshake");
    }

    [Fact]
    public async Task Holds_only_so_many_connections_that_have_not_proved_the_key()
    {
        await using Loopback loopback = new(options => options.UnauthenticatedConnectionsMax = 2);
        using FaultySender first = await FaultySender.ConnectAsync(loopback);
        using FaultySender second = await FaultySender.ConnectAsync(loopback);
        using FaultySender third = await FaultySender.ConnectAsync(loopback);

        Assert.True(await third.IsClosedAsync());
        await AssertRejectedOnceAsync(loopback, "2 connections have not proved");

        first.Dispose();
        second.Dispose();
        await Loopback.UntilAsync(() => loopback.Receiver.OpenConnections == 0, "the connections are gone");
        KvLease lease = loopback.Receiver.Expect(_shape, new TestMemory(_shape));
        Assert.True((await loopback.SendAsync(lease, TestMemory.Filled(_shape))).IsCompleted);
    }

    [Fact]
    public async Task A_sender_shows_a_stranger_nothing_and_reports_the_refusal()
    {
        await using Loopback loopback = new(options => options.HandshakeTimeout = TimeSpan.FromSeconds(2));
        using TcpListener stranger = new(System.Net.IPAddress.Loopback, 0);
        stranger.Start();
        Task<TransferResult> sending = loopback.Sender.SendAsync(
            new KvEndpoint("127.0.0.1", ((System.Net.IPEndPoint)stranger.LocalEndpoint).Port), LeaseId.New(), _shape, TestMemory.Filled(_shape), Loopback.Stop);
        using Socket socket = await stranger.AcceptSocketAsync(Loopback.Stop);
        Assert.True(await socket.TryReceiveExactlyAsync(new byte[Handshake.HelloSize], Loopback.Stop));
        byte[] answer = [.. Hello(Handshake.Version), .. new byte[Handshake.ProofSize]];
        await socket.TrySendAllAsync(answer, Loopback.Stop);

        Assert.Equal(TransferStatus.Refused, (await sending).Status);
        Assert.False(await socket.TryReceiveExactlyAsync(new byte[1], Loopback.Stop));
    }

    private static byte[] Hello(ushort version)
    {
        byte[] hello = new byte[Handshake.HelloSize];
        "SKVT"u8.CopyTo(hello);
        BitConverter.TryWriteBytes(hello.AsSpan(4), version);
        return hello;
    }

    private static async Task AssertRejectedOnceAsync(Loopback loopback, string reason)
    {
        await Loopback.UntilAsync(() => loopback.Log.Any(line => line.Text.Contains(reason, StringComparison.Ordinal)), "the rejection is logged");
        (LogLevel level, string _) = Assert.Single(loopback.Log, line => line.Level >= LogLevel.Warning);
        Assert.Equal(LogLevel.Warning, level);
    }

    private static async Task AssertStillServesAsync(Loopback loopback, KvLease lease)
    {
        using KvSender good = new(
            loopback.Options, Loopback.Key, TimeProvider.System, loopback.SenderMetrics, Microsoft.Extensions.Logging.Abstractions.NullLogger<KvSender>.Instance);
        Assert.True((await good.SendAsync(loopback.Endpoint, lease.LeaseId, lease.Shape, TestMemory.Filled(lease.Shape), Loopback.Stop)).IsCompleted);
    }
}
