namespace Serving.Transfer;

/// <summary>The end of a transfer, as a value: neither side throws for what a network or a peer does.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Bytes">Payload bytes that this side had stored or sent; all of the shape's when completed.</param>
/// <param name="Duration">From the first frame's place on the connection to the end; zero when no connection came about.</param>
/// <param name="Reason">For people: why it did not complete; empty when it did.</param>
public readonly record struct TransferResult(TransferStatus Status, long Bytes, TimeSpan Duration, string Reason)
{
    public bool IsCompleted => Status == TransferStatus.Completed;

    public override string ToString() =>
        IsCompleted ? $"completed, {Bytes} bytes in {Duration.TotalMilliseconds:F1} ms" : $"{Status} after {Bytes} bytes: {Reason}";

    internal static TransferResult Failed(TransferStatus status, string reason) => new(status, 0, TimeSpan.Zero, reason);
}
