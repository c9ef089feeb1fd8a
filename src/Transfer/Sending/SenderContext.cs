namespace Serving.Transfer.Sending;

/// <summary>What every connection of a sender shares.</summary>
internal sealed record SenderContext(KvTransferOptions Options, byte[] Key, TimeProvider Time, KvTransferMetrics Metrics);
