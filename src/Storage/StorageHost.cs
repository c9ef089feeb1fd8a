using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Serving.Storage.Configuration;
using Serving.Storage.Documents;
using Serving.Storage.Leases;
using Serving.Storage.Objects;

namespace Serving.Storage;

/// <summary>Adds what is stored to a host's services.</summary>
public static class StorageHost
{
    /// <summary>Adds <see cref="StorageServices"/> and its sweep. Needs an <c>IConnectionMultiplexer</c>, unless both stores are there already.</summary>
    public static IServiceCollection AddStorage(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IValidateOptions<StorageOptions>, StorageOptionsValidator>();
        services.AddOptions<StorageOptions>().BindConfiguration(StorageOptions.Section).ValidateOnStart();
        services.TryAddSingleton<IDocumentStore, RedisDocumentStore>();
        services.TryAddSingleton<ILeaseStore, RedisLeaseStore>();
        services.TryAddSingleton<IObjectStore, FolderObjectStore>();
        services.AddSingleton<StorageServices>();
        services.AddHostedService<StorageSweep>();
        return services;
    }
}
