using Microsoft.AspNetCore.Http.HttpResults;

namespace Serving.Gateway.Health;

/// <summary><c>GET /health</c>: the process lives. <c>GET /ready</c>: a request would be served.</summary>
internal static class HealthApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health", () => TypedResults.Text("{\"status\":\"ok\"}", "application/json"));
        routes.MapGet("/ready", Ready);
    }

    private static JsonHttpResult<ReadyReport> Ready(Readiness readiness)
    {
        var report = readiness.Check();
        var status = report.Missing.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return TypedResults.Json(report, HealthJson.Default.ReadyReport, statusCode: status);
    }
}
