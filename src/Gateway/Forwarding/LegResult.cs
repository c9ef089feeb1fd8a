using Serving.Gateway.Http;

namespace Serving.Gateway.Forwarding;

/// <summary>What came of sending a request to a decode worker: an answer that has begun, or the error that it ended in before.</summary>
internal readonly record struct LegResult(WorkerAnswer? Answer, ApiError? Error)
{
    /// <summary>The worker that a second attempt should avoid; null when none would help.</summary>
    public string? WorkerBlamed { get; init; }

    /// <summary>True when the worker blamed did not answer at all, so that one in its place is worth waiting for.</summary>
    public bool IsLost { get; init; }
}
