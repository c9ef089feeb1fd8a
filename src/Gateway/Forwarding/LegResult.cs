using Serving.Gateway.Http;

namespace Serving.Gateway.Forwarding;

/// <summary>What came of sending a request to a decode worker: its answer, whole or just begun, or the error that came instead.</summary>
internal readonly record struct LegResult<TAnswer>(TAnswer? Answer, ApiError? Error)
    where TAnswer : class
{
    /// <summary>The worker that a second attempt should avoid; null when none would help.</summary>
    public string? WorkerBlamed { get; init; }

    /// <summary>True when the worker blamed did not answer at all, so that one in its place is worth waiting for.</summary>
    public bool IsLost { get; init; }
}
