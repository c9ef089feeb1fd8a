using Serving.Contracts.Internal;
using Serving.Gateway.Chat;
using Serving.Gateway.Http;
using Serving.Policies.Placement;

namespace Serving.Gateway.Forwarding;

/// <summary>One request on its way: what it asks, where it is placed and what has become of it. One owner at a time.</summary>
internal sealed class CompletionCall : IDisposable
{
    /// <summary>A monotonic stamp of the request's arrival.</summary>
    public required long ArrivedAt { get; init; }

    public required RequestProfile Profile { get; init; }

    /// <summary>What workers are asked; its prefill peer changes with the placement.</summary>
    public required CompletionRequest Request { get; init; }

    public required IAnswerRenderer Renderer { get; init; }

    public required PlacementRequest PlacementRequest { get; set; }

    /// <summary>Where the request runs; another one after a failed leg.</summary>
    public required PhasePlacement Placement { get; set; }

    /// <summary>True for the gateway's own warm-up requests.</summary>
    public bool IsWarmUp { get; init; }

    /// <summary>The decode worker's answer once it has begun. Disposing it tells the worker to stop.</summary>
    public WorkerAnswer? Answer { get; set; }

    /// <summary>The stamp of the first event; 0 before.</summary>
    public long FirstTokenAt { get; set; }

    /// <summary>Answer tokens of all choices, once all have ended.</summary>
    public int? CompletionTokens { get; set; }

    public ApiError? Failure { get; set; }

    public void Dispose() => Answer?.Dispose();
}
