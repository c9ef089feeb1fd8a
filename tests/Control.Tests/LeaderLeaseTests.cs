using Serving.Control.Leadership;
using Serving.ServiceDefaults.Cluster;

namespace Serving.Control.Tests;

public sealed class LeaderLeaseTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(TestRedis.Garnet)]
    [InlineData(TestRedis.Debian)]
    public async Task One_leads_until_it_gives_the_lease_back(string kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var first = new LeaderLease(redis.Connection, "first", Long);
        var second = new LeaderLease(redis.Connection, "second", Long);

        Assert.Equal(1, await first.AcquireAsync());
        Assert.Null(await second.AcquireAsync());
        Assert.Equal(1, await first.AcquireAsync());

        await second.ReleaseAsync();
        Assert.Null(await second.AcquireAsync());
        await first.ReleaseAsync();
        Assert.Equal(2, await second.AcquireAsync());
    }

    [Theory]
    [InlineData(TestRedis.Garnet)]
    [InlineData(TestRedis.Debian)]
    public async Task A_lease_that_is_not_renewed_ends_and_the_next_term_is_higher(string kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var first = new LeaderLease(redis.Connection, "first", Long);
        Assert.Equal(1, await first.AcquireAsync());
        var left = await redis.Database.KeyTimeToLiveAsync(ClusterKeys.Leader);
        Assert.InRange(left!.Value, TimeSpan.FromSeconds(30), Long);

        // What the end of the time to live does.
        await redis.Database.KeyDeleteAsync(ClusterKeys.Leader);
        Assert.Equal(2, await new LeaderLease(redis.Connection, "second", Long).AcquireAsync());
        Assert.Null(await first.AcquireAsync());
    }

    [Theory]
    [InlineData(TestRedis.Garnet)]
    [InlineData(TestRedis.Debian)]
    public async Task The_sweep_takes_out_workers_whose_lease_expired_and_tells(string kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await redis.Database.SetAddAsync(ClusterKeys.WorkerIndex, ["alive", "expired"]);
        await redis.Database.StringSetAsync(ClusterKeys.Worker("alive"), "{}");
        await redis.Database.StringSetAsync(ClusterKeys.Load("expired"), "{}");
        var told = new TaskCompletionSource<string>();
        await redis.Connection.GetSubscriber().SubscribeAsync(ClusterKeys.WorkerChanged, (_, id) => told.TrySetResult(id!));

        Assert.Equal(["expired"], await RegistrySweep.RunAsync(redis.Database));
        Assert.Equal("expired", await told.Task.WaitAsync(TestContext.Current.CancellationToken));
        Assert.Equal(["alive"], (await redis.Database.SetMembersAsync(ClusterKeys.WorkerIndex)).Select(id => (string)id!));
        Assert.False(await redis.Database.KeyExistsAsync(ClusterKeys.Load("expired")));
        Assert.Empty(await RegistrySweep.RunAsync(redis.Database));
    }
}
