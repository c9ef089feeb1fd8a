using Microsoft.Extensions.Logging;

namespace Serving.Transfer.Receiving;

internal sealed partial class ReceiverConnection
{
    private void LogRejected(string peer, string reason) => LogRejected(_context.Logger, peer, reason);

    private void LogRefused(string peer, LeaseId lease, string reason) => LogRefused(_context.Logger, peer, lease, reason);

    [LoggerMessage(4103, LogLevel.Warning, "The KV receiver closed the connection from {Peer}: {Reason}.")]
    private static partial void LogRejected(ILogger logger, string peer, string reason);

    [LoggerMessage(4106, LogLevel.Warning, "The KV receiver refused the transfer {Lease} from {Peer}: {Reason}.")]
    private static partial void LogRefused(ILogger logger, string peer, LeaseId lease, string reason);
}
