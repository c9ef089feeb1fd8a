namespace Serving.Transfer.Sending;

/// <summary>A connection, or why there is none.</summary>
internal readonly record struct ConnectResult(SenderConnection? Connection, TransferResult Failure)
{
    public static ConnectResult Fail(TransferStatus status, string reason) => new(null, TransferResult.Failed(status, reason));
}
