using Microsoft.Extensions.Logging;

namespace Serving.ServiceDefaults.Cluster;

internal sealed partial class ClusterView
{
    [LoggerMessage(EventId = 1111, Level = LogLevel.Information, Message = "Worker {WorkerId} came at {Address}.")]
    private partial void LogWorkerCame(string workerId, string address);

    [LoggerMessage(EventId = 1112, Level = LogLevel.Information, Message = "Worker {WorkerId} at {Address} went.")]
    private partial void LogWorkerWent(string workerId, string address);

    [LoggerMessage(EventId = 1113, Level = LogLevel.Warning, Message = "The registry cannot be reached, the last known workers stay: {Reason}")]
    private partial void LogRedisAway(string reason);

    [LoggerMessage(EventId = 1114, Level = LogLevel.Information, Message = "The registry can be reached again.")]
    private partial void LogRedisBack();
}
