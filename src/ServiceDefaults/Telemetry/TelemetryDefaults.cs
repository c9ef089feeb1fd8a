using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Serving.ServiceDefaults.Telemetry;

/// <summary>Metrics for Prometheus in every host; metrics and traces over OTLP where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names a collector.</summary>
public static class TelemetryDefaults
{
    /// <summary>Meters and activity sources of the platform are named <c>Serving.*</c>.</summary>
    private const string OwnInstruments = "Serving.*";

    /// <summary>Serves <c>/metrics</c>. On an internal host it stands behind the cluster's authentication like everything else.</summary>
    public static WebApplication MapMetrics(this WebApplication app)
    {
        app.MapPrometheusScrapingEndpoint("/metrics");
        return app;
    }

    internal static WebApplicationBuilder AddTelemetry(this WebApplicationBuilder builder, string hostName)
    {
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService($"serving-{hostName}", serviceVersion: ThisVersion()))
            .WithMetrics(metrics => metrics
                .AddMeter(OwnInstruments, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "System.Runtime")
                .AddPrometheusExporter());

        // Without a collector nobody would see the spans, and each would still cost its request something.
        if (!string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            telemetry.WithTracing(tracing => tracing.AddSource(OwnInstruments).AddAspNetCoreInstrumentation());
            telemetry.UseOtlpExporter();
        }

        return builder;
    }

    private static string? ThisVersion() => typeof(TelemetryDefaults).Assembly.GetName().Version?.ToString(3);
}
