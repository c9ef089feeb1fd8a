using System.Runtime.CompilerServices;
using Serving.Contracts.Internal;
using Serving.Policies.Placement;

namespace Serving.Gateway.Forwarding;

/// <summary>One prompt of a call on its way: what its worker is asked, where that runs and what comes back. One owner at a time.</summary>
internal sealed class PromptLeg : IDisposable
{
    /// <summary>What workers are asked; its prefill peer changes with the placement.</summary>
    public required CompletionRequest Request { get; init; }

    public required PlacementRequest PlacementRequest { get; set; }

    /// <summary>Where it runs; another place after a failed attempt.</summary>
    public required PhasePlacement Placement { get; set; }

    /// <summary>The decode worker's answer once it has begun. Disposing it tells the worker to stop.</summary>
    public WorkerAnswer? Answer { get; set; }

    /// <summary>The next event; null when the connection ends or fails.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<CompletionEvent?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await Answer!.Events.ReadAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException or InvalidDataException)
        {
            return null;
        }
    }

    public void Dispose() => Answer?.Dispose();
}
