using Serving.ServiceDefaults.Cluster;
using StackExchange.Redis;

namespace Serving.Control.Leadership;

/// <summary>Takes workers whose lease has expired out of the registry's index, so that it does not grow with every worker that ever crashed.</summary>
internal static class RegistrySweep
{
    /// <returns>The ids of the workers that were taken out.</returns>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public static async Task<IReadOnlyList<string>> RunAsync(IDatabase database)
    {
        var ids = Array.ConvertAll(await database.SetMembersAsync(ClusterKeys.WorkerIndex), id => (string)id!);
        var alive = await Task.WhenAll(ids.Select(id => database.KeyExistsAsync(ClusterKeys.Worker(id))));
        var expired = ids.Where((_, i) => !alive[i]).ToArray();
        foreach (var id in expired)
        {
            // A worker that registers again at this very moment puts itself back when it renews.
            await database.SetRemoveAsync(ClusterKeys.WorkerIndex, id);
            await database.KeyDeleteAsync(ClusterKeys.Load(id));
            await database.PublishAsync(ClusterKeys.WorkerChanged, id);
        }

        return expired;
    }
}
