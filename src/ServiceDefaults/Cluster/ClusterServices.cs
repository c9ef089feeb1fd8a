using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Serving.Contracts.Cluster;
using Serving.ServiceDefaults.Hosting;
using Serving.ServiceDefaults.Security;
using StackExchange.Redis;

namespace Serving.ServiceDefaults.Cluster;

/// <summary>Adds a host's parts of the cluster to its services.</summary>
public static class ClusterServices
{
    /// <summary>Adds <see cref="IClusterView"/>, which follows the registry as long as the host runs.</summary>
    public static IServiceCollection AddClusterView(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ClusterView>();
        services.AddSingleton<IClusterView>(provider => provider.GetRequiredService<ClusterView>());
        return services.AddHostedService(provider => provider.GetRequiredService<ClusterView>());
    }

    /// <summary>Adds <see cref="IWorkerRegistrar"/>, which keeps this worker in the registry as long as the host runs.</summary>
    public static IServiceCollection AddWorkerRegistrar(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<WorkerRegistrar>();
        services.AddSingleton<IWorkerRegistrar>(provider => provider.GetRequiredService<WorkerRegistrar>());
        return services.AddHostedService(provider => provider.GetRequiredService<WorkerRegistrar>());
    }

    /// <summary>Adds the validated <see cref="ClusterOptions"/>, the <see cref="ClusterSecret"/> and the connection to Redis.</summary>
    internal static WebApplicationBuilder AddCluster(this WebApplicationBuilder builder, string hostName)
    {
        builder.Services.AddValidatedOptions<ClusterOptions, ClusterOptionsValidator>(ClusterOptions.Section);
        builder.Services.AddSingleton<IValidateOptions<ClusterOptions>, ClusterAddressValidator>();
        builder.Services.AddSingleton(provider => ClusterSecret.Read(provider.GetRequiredService<IOptions<ClusterOptions>>().Value.SecretFile));
        builder.Services.AddSingleton(provider => RedisConnection.Open(
            provider.GetRequiredService<IOptions<ClusterOptions>>().Value,
            provider.GetRequiredService<ClusterSecret>(),
            clientName: "serving-" + hostName));
        return builder;
    }
}
