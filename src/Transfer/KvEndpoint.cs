namespace Serving.Transfer;

/// <summary>Where a <see cref="KvReceiver"/> listens. <paramref name="Host"/> is a name or an address.</summary>
public readonly record struct KvEndpoint(string Host, int Port)
{
    public override string ToString() => $"{Host}:{Port}";
}
