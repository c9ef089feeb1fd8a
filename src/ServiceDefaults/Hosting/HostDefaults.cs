using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Serving.ServiceDefaults.Cluster;
using Serving.ServiceDefaults.Telemetry;

namespace Serving.ServiceDefaults.Hosting;

/// <summary>What every host of the platform shares.</summary>
public static class HostDefaults
{
    /// <summary>
    /// Adds configuration from environment and command line, one-line console logs, telemetry, the cluster's options, secret and Redis connection,
    /// and an orderly stop.
    /// </summary>
    /// <param name="hostName">What the host is called in telemetry and in Redis' client list: <c>gateway</c>, <c>decode-worker</c>.</param>
    public static WebApplicationBuilder AddServiceDefaults(this WebApplicationBuilder builder, string hostName)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.ConfigureSources();
        builder.ConfigureLogging();
        builder.AddCluster(hostName);
        builder.AddTelemetry(hostName);
        builder.AddOrderlyStop();
        return builder;
    }

    private static void ConfigureSources(this WebApplicationBuilder builder)
    {
        // An appsettings.json that happens to lie in the folder where the caller stands must not change a host.
        foreach (var source in builder.Configuration.Sources.OfType<JsonConfigurationSource>().ToArray())
        {
            builder.Configuration.Sources.Remove(source);
        }

        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData = new Dictionary<string, string?>
            {
                ["Logging:LogLevel:Default"] = "Information",
                ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
                ["Logging:LogLevel:Yarp"] = "Warning",
                ["Logging:LogLevel:Grpc"] = "Warning",
                ["Logging:LogLevel:System.Net.Http"] = "Warning",
                ["Logging:LogLevel:Microsoft.Hosting.Lifetime"] = "Warning",
            },
        });
    }

    private static void ConfigureLogging(this WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.TimestampFormat = "HH:mm:ss.fff ";
            options.UseUtcTimestamp = true;
            options.ColorBehavior = LoggerColorBehavior.Default;
        });
    }

    private static void AddOrderlyStop(this WebApplicationBuilder builder)
    {
        // Read from the configuration, because the host resolves these options before it validates any: a mistake there is reported with the others.
        var given = builder.Configuration[$"{ClusterOptions.Section}:{nameof(ClusterOptions.StopSecondsMax)}"];
        var stopSecondsMax = int.TryParse(given, CultureInfo.InvariantCulture, out var seconds) ? seconds : new ClusterOptions().StopSecondsMax;
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(Math.Max(1, stopSecondsMax - 1)));

        var stopWithParent = builder.Configuration[$"{ClusterOptions.Section}:{nameof(ClusterOptions.StopWithParent)}"];
        if (bool.TryParse(stopWithParent, out var isSupervised) && isSupervised)
        {
            builder.Services.AddSingleton<IHostLifetime, SupervisedLifetime>();
        }
    }
}
