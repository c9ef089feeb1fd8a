using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Serving.Engine.KvCache;

/// <summary>
/// Names what a full KV block holds: SHA-256 over the identity of the block before it and its own tokens, so that equal identities mean equal
/// tokens from position 0 on (the chained hashes of vLLM's prefix cache). The chain begins with what the bytes depend on besides tokens.
/// </summary>
public readonly record struct BlockIdentity
{
    private const int Bytes = 4 * sizeof(ulong);
    private const int TokensMax = 1024;

    private readonly ulong _first;
    private readonly ulong _second;
    private readonly ulong _third;
    private readonly ulong _fourth;

    private BlockIdentity(ReadOnlySpan<ulong> words) => (_first, _second, _third, _fourth) = (words[0], words[1], words[2], words[3]);

    /// <summary>Whether this is <c>default</c>, which names no block.</summary>
    public bool IsNone => this == default;

    /// <summary>What the chain of a sequence begins with.</summary>
    /// <param name="kvFingerprint">What the bytes depend on besides tokens: the model, its numeric class, the KV layout.</param>
    /// <param name="salt">Sequences of different salts never share blocks: an adapter, a tenant, a secret of the client's.</param>
    public static BlockIdentity Root(string kvFingerprint, string salt)
    {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        return Hash(Encoding.UTF8.GetBytes($"{kvFingerprint.Length}:{kvFingerprint}{salt}"));
    }

    /// <summary>The identity of the block that holds <paramref name="tokens"/> and follows the block, or the root, that this names.</summary>
    public BlockIdentity Extend(ReadOnlySpan<int> tokens)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens.Length, TokensMax, nameof(tokens));
        Span<byte> buffer = stackalloc byte[Bytes + (tokens.Length * sizeof(int))];
        MemoryMarshal.Cast<ulong, byte>([_first, _second, _third, _fourth]).CopyTo(buffer);
        MemoryMarshal.AsBytes(tokens).CopyTo(buffer[Bytes..]);
        return Hash(buffer);
    }

    /// <summary>The identity of the block of a KV group that holds those tokens: each group has one.</summary>
    public BlockIdentity InGroup(int group) => new([_first, _second, _third, _fourth ^ (ulong)group]);

    /// <summary>The words of a cryptographic hash are as good as any hash of them.</summary>
    public override int GetHashCode() => (int)_first;

    private static BlockIdentity Hash(ReadOnlySpan<byte> data)
    {
        Span<ulong> words = stackalloc ulong[Bytes / sizeof(ulong)];
        SHA256.HashData(data, MemoryMarshal.AsBytes(words));
        return new BlockIdentity(words);
    }
}
