namespace Serving.Transfer;

/// <summary>Counters since the process started. Bytes are payload bytes, those of transfers that failed half-way included.</summary>
public readonly record struct KvTransferSnapshot(
    long BytesReceived,
    long BytesSent,
    long TransfersReceived,
    long TransfersSent,
    long TransfersFailed,
    long ConnectionsRejected);
