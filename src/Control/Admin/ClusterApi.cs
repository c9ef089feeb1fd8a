using Microsoft.AspNetCore.Http.HttpResults;
using Serving.Contracts.Cluster;
using Serving.Control.Leadership;

namespace Serving.Control.Admin;

/// <summary>What the control process knows of the cluster, for the <c>serving</c> command and dashboards.</summary>
internal static class ClusterApi
{
    public const string Route = "/internal/cluster";

    public static void MapClusterApi(this WebApplication app) => app.MapGet(Route, Get);

    private static JsonHttpResult<ClusterStatus> Get(IClusterView cluster, ILeadership leadership) =>
        TypedResults.Json(
            new ClusterStatus(cluster.Current.Workers, leadership.Id, leadership.Term is not null, leadership.Term?.Number),
            ControlJson.Default.ClusterStatus);
}
