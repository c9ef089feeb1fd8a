namespace Serving.Worker.Prefill;

/// <summary>How a hand-off ended, seen by the worker that asked for it.</summary>
/// <param name="KvBytes">Payload bytes received; the whole KV cache when it completed.</param>
/// <param name="Failure">Why it did not complete; null when it did.</param>
internal readonly record struct PrefillOutcome(long KvBytes, string? Failure)
{
    public bool IsCompleted => Failure is null;
}
