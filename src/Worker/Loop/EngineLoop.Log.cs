using Microsoft.Extensions.Logging;

namespace Serving.Worker.Loop;

public sealed partial class EngineLoop
{
    [LoggerMessage(EventId = 2001, Level = LogLevel.Information,
        Message = "Engine {Model} runs: {KvBlocks} KV blocks of {BlockSize} tokens; "
            + "a step has at most {BatchTokensMax} tokens and {RunningSequencesMax} sequences.")]
    private static partial void LogStarted(
        ILogger logger, string model, int kvBlocks, int blockSize, int batchTokensMax, int runningSequencesMax);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Information, Message = "Engine {Model} has stopped.")]
    private static partial void LogStopped(ILogger logger, string model);

    [LoggerMessage(EventId = 2003, Level = LogLevel.Error,
        Message = "A step of {Sequences} sequences and {Rows} rows failed; its sequences end with an error.")]
    private static partial void LogStepFailed(ILogger logger, Exception exception, int sequences, int rows);

    [LoggerMessage(EventId = 2004, Level = LogLevel.Critical,
        Message = "Engine {Model} met a bug and takes no more work; every sequence ends with an error.")]
    private static partial void LogEngineFailed(ILogger logger, Exception exception, string model);

    [LoggerMessage(EventId = 2005, Level = LogLevel.Error,
        Message = "The engine's model gave no finite logits for request {RequestId} at position {Position}.")]
    private static partial void LogBrokenLogits(ILogger logger, string requestId, int position);

    [LoggerMessage(EventId = 2006, Level = LogLevel.Error, Message = "A listener to the engine's load failed.")]
    private static partial void LogLoadListenerFailed(ILogger logger, Exception exception);
}
