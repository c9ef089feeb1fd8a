using System.Net;
using Microsoft.Extensions.Logging;

namespace Serving.Transfer;

public sealed partial class KvReceiver
{
    [LoggerMessage(4101, LogLevel.Information, "The KV receiver listens on {Endpoint}.")]
    private partial void LogListening(EndPoint endpoint);

    [LoggerMessage(4102, LogLevel.Warning, "The KV receiver could not accept a connection: {Failure}.")]
    private partial void LogAcceptFailed(string failure);

    [LoggerMessage(4103, LogLevel.Warning, "The KV receiver closed the connection from {Peer}: {Reason}.")]
    private partial void LogRejected(string peer, string reason);

    [LoggerMessage(4104, LogLevel.Error, "The KV connection from {Peer} failed.")]
    private partial void LogConnectionFailed(Exception exception, string peer);

    [LoggerMessage(4105, LogLevel.Information, "The KV transfer {Lease} ended: {Result}.")]
    private partial void LogTransferFailed(LeaseId lease, TransferResult result);
}
