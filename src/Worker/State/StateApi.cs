using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;

namespace Serving.Worker.State;

/// <summary><c>GET /internal/state</c>: what the worker is doing, for operators and tests.</summary>
internal static class StateApi
{
    public static void MapState(this IEndpointRouteBuilder routes) =>
        routes.MapGet(InternalApi.StateRoute, static (WorkerStatus status) => TypedResults.Json(status.State(), ClusterJson.Default.WorkerState));
}
