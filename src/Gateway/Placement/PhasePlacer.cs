using Microsoft.Extensions.Options;
using Serving.Contracts.Cluster;
using Serving.Gateway.Configuration;
using Serving.Policies.Placement;

namespace Serving.Gateway.Placement;

/// <summary>Places requests on the cluster as it is, and waits a bounded time where no worker is there.</summary>
internal sealed class PhasePlacer(IClusterView cluster, PhasePlacementPolicy policy, TimeProvider time, IOptions<GatewayOptions> options)
{
    /// <summary>Null when no worker can take the request now.</summary>
    public PhasePlacement? Place(PlacementRequest request) => policy.Place(cluster.Current, request);

    /// <summary>Null when no worker could take the request within <see cref="GatewayOptions.WorkerWaitSecondsMax"/>.</summary>
    public async ValueTask<PhasePlacement?> PlaceAsync(PlacementRequest request, CancellationToken cancellationToken) =>
        Place(request) ?? await WaitAsync(() => Place(request), cancellationToken);

    /// <summary>For a prompt without an answer: null when no worker can take it now.</summary>
    public WorkerRegistration? PlacePrompt(PlacementRequest request) => policy.PlacePrompt(cluster.Current, request);

    /// <summary>The same, null when no worker could take it within <see cref="GatewayOptions.WorkerWaitSecondsMax"/>.</summary>
    public async ValueTask<WorkerRegistration?> PlacePromptAsync(PlacementRequest request, CancellationToken cancellationToken) =>
        PlacePrompt(request) ?? await WaitAsync(() => PlacePrompt(request), cancellationToken);

    private async Task<T?> WaitAsync<T>(Func<T?> place, CancellationToken cancellationToken)
        where T : class
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(options.Value.WorkerWaitSecondsMax), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        using var signal = new ClusterSignal(cluster);
        try
        {
            while (true)
            {
                // Again before the first wait: the worker may have come before the signal was armed.
                if (place() is { } placement)
                {
                    return placement;
                }

                await signal.WaitAsync(either.Token);
            }
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }
}
