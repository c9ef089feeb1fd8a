using System.Net.Http.Json;
using System.Text.Json;
using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;
using Serving.ServiceDefaults.Cluster;
using Serving.ServiceDefaults.Security;
using StackExchange.Redis;

namespace Serving.Served.Bench.Soak;

/// <summary>Asks a platform's workers for their state, as an operator with the cluster secret does.</summary>
internal sealed class WorkerProbe : IDisposable
{
    private readonly List<HttpClient> _clients = [];

    public static async Task<WorkerProbe> CreateAsync(string dataFolder)
    {
        ClusterSecret secret = ClusterSecret.Read(Path.Combine(dataFolder, "cluster.secret"));
        using JsonDocument running = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(dataFolder, "running.json")));
        ConfigurationOptions options = ConfigurationOptions.Parse(running.RootElement.GetProperty("redis").GetString()!);
        options.Password = secret.RedisPassword;
        await using ConnectionMultiplexer redis = await ConnectionMultiplexer.ConnectAsync(options);
        WorkerProbe probe = new();
        foreach (RedisValue id in await redis.GetDatabase().SetMembersAsync(ClusterKeys.WorkerIndex))
        {
            if ((string?)await redis.GetDatabase().StringGetAsync(ClusterKeys.Worker(id!)) is { } json)
            {
                probe._clients.Add(InternalHttp.CreateClient(secret, new Uri(JsonSerializer.Deserialize(json, ClusterJson.Default.WorkerRegistration)!.Address)));
            }
        }

        return probe;
    }

    /// <summary>The workers' states, always in the same order.</summary>
    public Task<WorkerState[]> ReadAsync() => Task.WhenAll(_clients.Select(async client =>
        (await client.GetFromJsonAsync(InternalApi.StateRoute, ClusterJson.Default.WorkerState))!));

    public void Dispose() => _clients.ForEach(client => client.Dispose());
}
