using Microsoft.Extensions.Logging;

namespace Serving.Transfer.Receiving;

/// <summary>What every connection of a receiver shares.</summary>
internal sealed record ReceiverContext(
    KvTransferOptions Options,
    byte[] Key,
    TimeProvider Time,
    KvTransferMetrics Metrics,
    ILogger Logger,
    Func<LeaseId, KvLease?> FindLease,
    CancellationToken Closing);
