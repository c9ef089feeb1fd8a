using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;
using Serving.ServiceDefaults.Cluster;
using Serving.ServiceDefaults.Security;
using StackExchange.Redis;

namespace Serving.EndToEnd;

/// <summary>The inside of a running platform, seen as an operator with the cluster secret sees it: the registry in Redis and the workers' state.</summary>
internal static class Cluster
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    /// <summary>Worker id → process id, for the workers in the registry whose lease is alive.</summary>
    public static async Task<IReadOnlyDictionary<string, int>> PidsAsync(Platform platform) =>
        (await WorkersAsync(platform)).ToDictionary(worker => worker.Id, worker => worker.Pid);

    public static async Task<IReadOnlyList<Uri>> AddressesAsync(Platform platform) =>
        [.. (await WorkersAsync(platform)).Select(worker => new Uri(worker.Address))];

    /// <summary>KV blocks that sequences hold, all workers together.</summary>
    public static async Task<int> KvBlocksUsedAsync(Platform platform)
    {
        int used = 0;
        foreach (WorkerRegistration worker in await WorkersAsync(platform))
        {
            used += (await StateAsync(platform, worker)).Load.KvBlocksUsed;
        }

        return used;
    }

    /// <summary>What each worker says of itself.</summary>
    public static async Task<IReadOnlyList<WorkerState>> StatesAsync(Platform platform)
    {
        List<WorkerState> states = [];
        foreach (WorkerRegistration worker in await WorkersAsync(platform))
        {
            states.Add(await StateAsync(platform, worker));
        }

        return states;
    }

    /// <summary>Waits until no worker holds a KV block or an open lease.</summary>
    public static async Task WaitUntilNoKvIsUsedAsync(Platform platform, WorkerRole? role = null) =>
        await WaitUntilAsync(
            async () =>
            {
                foreach (WorkerRegistration worker in (await WorkersAsync(platform)).Where(worker => role is null || worker.Role == role))
                {
                    WorkerState state = await StateAsync(platform, worker);
                    if ((state.Load.KvBlocksUsed, state.OpenLeases) != (0, 0))
                    {
                        return false;
                    }
                }

                return true;
            },
            "a worker still holds KV blocks or leases");

    public static async Task WaitUntilAsync(Func<Task<bool>> condition, string otherwise, TimeSpan? patience = null)
    {
        long begin = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(begin) > (patience ?? _patience))
            {
                throw new TimeoutException($"{otherwise} after {patience ?? _patience}");
            }

            await Task.Delay(20);
        }
    }

    /// <summary>A client of an internal API; without a token for a stranger.</summary>
    public static HttpClient InternalClient(Uri address, string? token) => new()
    {
        BaseAddress = address,
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        DefaultRequestHeaders = { Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token) },
    };

    /// <summary>Where the embedded Redis listens: <c>running.json</c> in the data folder says it.</summary>
    public static async Task<EndPoint> RedisEndPointAsync(Platform platform)
    {
        using JsonDocument running = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(platform.Data, "running.json")));
        return IPEndPoint.Parse(running.RootElement.GetProperty("redis").GetString()!);
    }

    private static ClusterSecret Secret(Platform platform) => ClusterSecret.Read(Path.Combine(platform.Data, "cluster.secret"));

    private static async Task<IReadOnlyList<WorkerRegistration>> WorkersAsync(Platform platform)
    {
        ConfigurationOptions options = new() { EndPoints = { await RedisEndPointAsync(platform) }, Password = Secret(platform).RedisPassword };
        await using ConnectionMultiplexer redis = await ConnectionMultiplexer.ConnectAsync(options);
        IDatabase database = redis.GetDatabase();
        List<WorkerRegistration> workers = [];
        foreach (RedisValue id in await database.SetMembersAsync(ClusterKeys.WorkerIndex))
        {
            string? json = await database.StringGetAsync(ClusterKeys.Worker(id!));
            if (json is not null)
            {
                workers.Add(JsonSerializer.Deserialize(json, ClusterJson.Default.WorkerRegistration)!);
            }
        }

        return workers;
    }

    private static async Task<WorkerState> StateAsync(Platform platform, WorkerRegistration worker)
    {
        using HttpClient client = InternalClient(new Uri(worker.Address), Secret(platform).HttpToken);
        return (await client.GetFromJsonAsync(InternalApi.StateRoute, ClusterJson.Default.WorkerState))!;
    }
}
