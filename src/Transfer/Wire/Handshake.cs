using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Serving.Transfer.Wire;

/// <summary>
/// Mutual proof of a shared key before anything else is read. Every message has a fixed size:
/// <code>
/// sender   → hello:  magic u32, version u16, zero u16, nonce 32 bytes
/// receiver → hello:  magic u32, version u16, zero u16, nonce 32 bytes, proof 32 bytes
/// sender   → proof 32 bytes
/// </code>
/// A proof is HMAC-SHA256(key, role and version, sender's nonce, receiver's nonce): the role keeps either side from being used to answer its own
/// challenge, the fresh nonces keep an old proof from being replayed. The sender proves last, so that it shows nothing to a stranger.
/// </summary>
internal static class Handshake
{
    public const ushort Version = 1;
    public const int NonceSize = 32;
    public const int ProofSize = 32;
    public const int HelloSize = 8 + NonceSize;

    private const uint Magic = 0x54564B53; // "SKVT"

    /// <exception cref="OperationCanceledException">It took too long.</exception>
    public static async Task<HandshakeResult> AsReceiverAsync(Socket socket, byte[] key, CancellationToken stop)
    {
        byte[] hello = new byte[HelloSize];
        if (!await socket.TryReceiveExactlyAsync(hello, stop))
        {
            return HandshakeResult.Fail("the peer closed before its hello");
        }

        if (CheckHello(hello) is { } failure)
        {
            return HandshakeResult.Fail(failure);
        }

        byte[] answer = new byte[HelloSize + ProofSize];
        WriteHello(answer);
        Nonces nonces = new(hello.AsSpan(8), answer.AsSpan(8, NonceSize));
        nonces.Prove(key, "serving-kv/1 receiver"u8, answer.AsSpan(HelloSize));
        byte[] proof = new byte[ProofSize];
        if (!await socket.TrySendAllAsync(answer, stop) || !await socket.TryReceiveExactlyAsync(proof, stop))
        {
            return HandshakeResult.Fail("the peer closed before its proof");
        }

        return nonces.IsProof(key, "serving-kv/1 sender"u8, proof)
            ? new HandshakeResult(nonces.Seed(key), null)
            : HandshakeResult.Fail("the peer has another key: give both workers the same cluster secret");
    }

    /// <exception cref="OperationCanceledException">It took too long.</exception>
    public static async Task<HandshakeResult> AsSenderAsync(Socket socket, byte[] key, CancellationToken stop)
    {
        byte[] hello = new byte[HelloSize];
        WriteHello(hello);
        byte[] answer = new byte[HelloSize + ProofSize];
        if (!await socket.TrySendAllAsync(hello, stop) || !await socket.TryReceiveExactlyAsync(answer, stop))
        {
            return HandshakeResult.Fail("the peer closed during the handshake");
        }

        if (CheckHello(answer) is { } failure)
        {
            return HandshakeResult.Fail(failure);
        }

        Nonces nonces = new(hello.AsSpan(8), answer.AsSpan(8, NonceSize));
        if (!nonces.IsProof(key, "serving-kv/1 receiver"u8, answer.AsSpan(HelloSize)))
        {
            return HandshakeResult.Fail("the peer has another key: give both workers the same cluster secret");
        }

        byte[] proof = new byte[ProofSize];
        nonces.Prove(key, "serving-kv/1 sender"u8, proof);
        return await socket.TrySendAllAsync(proof, stop)
            ? new HandshakeResult(nonces.Seed(key), null)
            : HandshakeResult.Fail("the peer closed during the handshake");
    }

    private static string? CheckHello(ReadOnlySpan<byte> hello)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(hello) != Magic)
        {
            return "the peer does not speak the KV transfer protocol";
        }

        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(hello[4..]);
        return version == Version ? null : $"the peer speaks version {version}, this side {Version}: update the older worker";
    }

    private static void WriteHello(Span<byte> hello)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(hello, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(hello[4..], Version);
        RandomNumberGenerator.Fill(hello.Slice(8, NonceSize));
    }

    private sealed class Nonces
    {
        private readonly byte[] _both = new byte[2 * NonceSize];

        public Nonces(ReadOnlySpan<byte> sender, ReadOnlySpan<byte> receiver)
        {
            sender.CopyTo(_both);
            receiver.CopyTo(_both.AsSpan(NonceSize));
        }

        public void Prove(byte[] key, ReadOnlySpan<byte> role, Span<byte> proof) => HMACSHA256.HashData(key, [.. role, .. _both], proof);

        public bool IsProof(byte[] key, ReadOnlySpan<byte> role, ReadOnlySpan<byte> proof)
        {
            Span<byte> own = stackalloc byte[ProofSize];
            Prove(key, role, own);
            return CryptographicOperations.FixedTimeEquals(own, proof);
        }

        public long Seed(byte[] key)
        {
            Span<byte> digest = stackalloc byte[ProofSize];
            Prove(key, "serving-kv/1 seed"u8, digest);
            return BinaryPrimitives.ReadInt64LittleEndian(digest);
        }
    }
}
