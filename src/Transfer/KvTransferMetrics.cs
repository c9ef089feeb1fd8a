using System.Diagnostics.Metrics;

namespace Serving.Transfer;

/// <summary>What the KV data plane has moved, as instruments and as a reading for the worker's state page.</summary>
public sealed class KvTransferMetrics
{
    public const string MeterName = "Serving.Transfer";

    private readonly Counter<long> _bytes;
    private readonly Counter<long> _transfers;
    private readonly Counter<long> _rejected;
    private long _bytesReceived;
    private long _bytesSent;
    private long _transfersReceived;
    private long _transfersSent;
    private long _transfersFailed;
    private long _connectionsRejected;

    public KvTransferMetrics(IMeterFactory meters)
    {
        ArgumentNullException.ThrowIfNull(meters);
        Meter meter = meters.Create(MeterName);
        _bytes = meter.CreateCounter<long>("serving.kv_transfer.bytes", "By", "Payload bytes of the KV cache, by direction.");
        _transfers = meter.CreateCounter<long>("serving.kv_transfer.transfers", "{transfer}", "KV transfers that have ended, by direction and status.");
        _rejected = meter.CreateCounter<long>("serving.kv_transfer.connections_rejected", "{connection}", "Connections that were closed before they proved the key.");
    }

    public KvTransferSnapshot Snapshot => new(
        Interlocked.Read(ref _bytesReceived),
        Interlocked.Read(ref _bytesSent),
        Interlocked.Read(ref _transfersReceived),
        Interlocked.Read(ref _transfersSent),
        Interlocked.Read(ref _transfersFailed),
        Interlocked.Read(ref _connectionsRejected));

    internal void Received(in TransferResult result) => Record(result, "received", ref _bytesReceived, ref _transfersReceived);

    internal void Sent(in TransferResult result) => Record(result, "sent", ref _bytesSent, ref _transfersSent);

    internal void ConnectionRejected()
    {
        Interlocked.Increment(ref _connectionsRejected);
        _rejected.Add(1);
    }

    private void Record(in TransferResult result, string direction, ref long bytes, ref long transfers)
    {
        Interlocked.Add(ref bytes, result.Bytes);
        Interlocked.Increment(ref result.IsCompleted ? ref transfers : ref _transfersFailed);

        KeyValuePair<string, object?> tag = new("direction", direction);
        _bytes.Add(result.Bytes, tag);
        _transfers.Add(1, tag, new("status", result.Status.ToString()));
    }
}
