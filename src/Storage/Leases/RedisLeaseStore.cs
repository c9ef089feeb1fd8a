using StackExchange.Redis;

namespace Serving.Storage.Leases;

/// <summary>Leases as keys that expire.</summary>
internal sealed class RedisLeaseStore(IConnectionMultiplexer redis) : ILeaseStore
{
    private readonly RedisCalls _redis = new(redis);

    public Task<long?> TakeAsync(string name, string holder, TimeSpan duration) => RedisCalls.RunAsync<long?>(async () =>
    {
        if (!await _redis.Database.LockTakeAsync(Key(name), holder, duration))
        {
            return null;
        }

        var term = await _redis.Database.StringIncrementAsync(Key(name).Append(":term"));
        await _redis.CommitAsync();
        return term;
    });

    public Task<bool> RenewAsync(string name, string holder, TimeSpan duration) => RedisCalls.RunAsync(
        () => _redis.Database.LockExtendAsync(Key(name), holder, duration));

    public Task ReleaseAsync(string name, string holder) => RedisCalls.RunAsync(
        () => _redis.Database.LockReleaseAsync(Key(name), holder));

    private static RedisKey Key(string name) => $"serving:{{lease:{name}}}";
}
