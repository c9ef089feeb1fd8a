using Microsoft.Extensions.Logging;

namespace Serving.Transfer;

public sealed partial class KvSender
{
    [LoggerMessage(4111, LogLevel.Information, "The KV transfer {Lease} to {Receiver} ended: {Result}.")]
    private partial void LogTransferFailed(LeaseId lease, KvEndpoint receiver, TransferResult result);
}
