using Serving.Contracts.Cluster;
using Serving.ServiceDefaults.Cluster;
using StackExchange.Redis;

namespace Serving.Serving.Tests.Registry;

public sealed class RegistryTests
{
    private const string Garnet = "garnet";
    private const string Debian = "redis-server";

    [Theory]
    [InlineData(Garnet)]
    [InlineData(Debian)]
    public async Task A_worker_is_seen_with_its_load_and_goes_when_its_host_stops(string kind)
    {
        using var redis = RedisServer.Start(kind);
        await using var worker = await RegistryHost.StartAsync(redis.ConnectionString);
        await using var observer = await RegistryHost.StartAsync(redis.ConnectionString);

        worker.Registrar.Publish(Registration("w"));
        worker.Registrar.Report(new WorkerLoad("w", 3, 0, 0, 5, 10));
        await observer.SeesAsync(cluster => cluster.Workers is [{ Registration.Id: "w", Load.RunningSequences: 3 }], "the worker with its load");
        Assert.Equal("m", observer.View.Current.Workers[0].Registration.Models[0].Name);

        worker.Registrar.Report(new WorkerLoad("w", 4, 0, 0, 5, 10));
        await observer.SeesAsync(cluster => cluster.Workers is [{ Load.RunningSequences: 4 }], "the new load");

        worker.Registrar.Drain();
        await observer.SeesAsync(cluster => cluster.Workers is [{ Registration.Draining: true }], "the worker draining");

        await worker.StopAsync();
        await observer.SeesAsync(cluster => cluster.Workers.Count == 0, "the worker going");
    }

    [Theory]
    [InlineData(Garnet)]
    [InlineData(Debian)]
    public async Task A_worker_that_died_goes_with_its_lease(string kind)
    {
        using var redis = RedisServer.Start(kind);
        await using var observer = await RegistryHost.StartAsync(redis.ConnectionString);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);

        // What a killed worker leaves: a registration that nobody renews.
        var json = System.Text.Json.JsonSerializer.Serialize(Registration("dead"), ClusterJson.Default.WorkerRegistration);
        var database = connection.GetDatabase();
        await database.StringSetAsync(ClusterKeys.Worker("dead"), json, TimeSpan.FromSeconds(2));
        await database.SetAddAsync(ClusterKeys.WorkerIndex, "dead");
        await observer.SeesAsync(cluster => cluster.Workers.Count == 1, "the worker while its lease lasts");
        await observer.SeesAsync(cluster => cluster.Workers.Count == 0, "the worker gone");
    }

    [Theory]
    [InlineData(Garnet)]
    [InlineData(Debian)]
    public async Task A_worker_whose_registration_was_lost_registers_anew(string kind)
    {
        using var redis = RedisServer.Start(kind);
        await using var worker = await RegistryHost.StartAsync(redis.ConnectionString);
        worker.Registrar.Publish(Registration("w"));
        await worker.SeesAsync(cluster => cluster.Workers.Count == 1, "the worker");

        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        var database = connection.GetDatabase();
        await database.KeyDeleteAsync([ClusterKeys.Worker("w"), ClusterKeys.WorkerIndex]);
        await connection.GetSubscriber().PublishAsync(ClusterKeys.WorkerChanged, "w");

        // The view may come too late to see that it was gone.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await database.KeyExistsAsync(ClusterKeys.Worker("w")) || !await database.SetContainsAsync(ClusterKeys.WorkerIndex, "w"))
        {
            await Task.Delay(20, limit.Token);
        }

        await worker.SeesAsync(cluster => cluster.Workers.Count == 1, "the worker again");
    }

    [Fact]
    public async Task While_redis_is_away_the_last_known_workers_stay_and_after_it_they_are_still_there()
    {
        using var redis = new DebianRedis();
        await using var worker = await RegistryHost.StartAsync(redis.ConnectionString);
        worker.Registrar.Publish(Registration("w"));
        await worker.SeesAsync(cluster => cluster.Workers.Count == 1, "the worker");
        var wentAway = false;
        worker.View.Changed += () => wentAway |= worker.View.Current.Workers.Count == 0;

        redis.Stop();
        await Task.Delay(TimeSpan.FromSeconds(2.5), TestContext.Current.CancellationToken);
        redis.Restart();
        worker.Registrar.Report(new WorkerLoad("w", 9, 0, 0, 0, 10));
        await worker.SeesAsync(cluster => cluster.Workers is [{ Load.RunningSequences: 9 }], "the worker's next load");
        Assert.False(wentAway);
    }

    private static WorkerRegistration Registration(string id) => new(
        id, WorkerRole.Decode, "http://127.0.0.1:1", [new ServedModel("m", "f", 10, DateTimeOffset.UnixEpoch, "o")], 1, DateTimeOffset.UnixEpoch, Draining: false);
}
