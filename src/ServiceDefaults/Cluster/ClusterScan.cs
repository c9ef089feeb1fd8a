using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Serving.Contracts.Cluster;
using StackExchange.Redis;

namespace Serving.ServiceDefaults.Cluster;

/// <summary>Reads the registry as it is in Redis: three round trips, whatever the number of workers.</summary>
internal static class ClusterScan
{
    /// <summary>The workers whose leases are alive, in the order of their ids. An entry that cannot be read is left out.</summary>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public static async Task<IReadOnlyList<WorkerEntry>> ReadAsync(IDatabase database)
    {
        var members = await database.SetMembersAsync(ClusterKeys.WorkerIndex);
        if (members.Length == 0)
        {
            return [];
        }

        var ids = Array.ConvertAll(members, member => (string)member!);
        Array.Sort(ids, StringComparer.Ordinal);
        var registrations = database.StringGetAsync(Array.ConvertAll(ids, ClusterKeys.Worker));
        var loads = database.StringGetAsync(Array.ConvertAll(ids, ClusterKeys.Load));
        await Task.WhenAll(registrations, loads);

        var entries = new List<WorkerEntry>(ids.Length);
        for (var i = 0; i < ids.Length; i++)
        {
            if (Parse((await registrations)[i], ClusterJson.Default.WorkerRegistration) is { } registration)
            {
                entries.Add(new WorkerEntry(registration, Parse((await loads)[i], ClusterJson.Default.WorkerLoad)));
            }
        }

        return entries;
    }

    public static T? Parse<T>(RedisValue value, JsonTypeInfo<T> type)
        where T : class
    {
        if (value.IsNull)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize((string)value!, type);
        }
        catch (JsonException)
        {
            // Written by another version: for this host it does not exist.
            return null;
        }
    }
}
