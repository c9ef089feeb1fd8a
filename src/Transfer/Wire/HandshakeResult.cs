namespace Serving.Transfer.Wire;

/// <summary>The outcome of a handshake: the seed of the connection's checksums, or what was wrong with the peer.</summary>
internal readonly record struct HandshakeResult(long Seed, string? Failure)
{
    public static HandshakeResult Fail(string failure) => new(0, failure);
}
