namespace Serving.Worker.Loop;

/// <summary>How long a sequence was in each part of its life, on the engine's monotonic clock; zero for a part not ended yet.</summary>
/// <param name="Queue">Submission to blocks reserved.</param>
/// <param name="RemoteKv">Blocks reserved to the end of the wait for a KV cache from elsewhere.</param>
/// <param name="Prefill">From there to the first token sampled, or to the prompt computed.</param>
/// <param name="TimeToFirstToken">Submission to the first token sampled.</param>
/// <param name="Total">Submission to the end.</param>
public readonly record struct SequenceTimings(
    TimeSpan Queue, TimeSpan RemoteKv, TimeSpan Prefill, TimeSpan TimeToFirstToken, TimeSpan Total);
