using Microsoft.Extensions.Logging;

namespace Serving.ServiceDefaults.Cluster;

internal sealed partial class WorkerRegistrar
{
    [LoggerMessage(EventId = 1101, Level = LogLevel.Information, Message = "Registered as {WorkerId} at {Address} (draining: {Draining}).")]
    private partial void LogRegistered(string workerId, string address, bool draining);

    [LoggerMessage(EventId = 1102, Level = LogLevel.Warning, Message = "The lease of {WorkerId} was lost; registering anew.")]
    private partial void LogLeaseLost(string workerId);

    [LoggerMessage(EventId = 1103, Level = LogLevel.Warning, Message = "The registry cannot be reached, requests go on: {Reason}")]
    private partial void LogRedisAway(string reason);

    [LoggerMessage(EventId = 1104, Level = LogLevel.Information, Message = "The registry can be reached again.")]
    private partial void LogRedisBack();
}
