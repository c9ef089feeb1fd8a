using System.Globalization;
using StackExchange.Redis;

namespace Serving.Storage.Documents;

/// <summary>
/// Documents as Redis hashes, with a sorted set of names for each list and one for what expires. Changes of several keys are transactions
/// (MULTI, with WATCH for their conditions), which Redis, Valkey and Garnet have alike; Garnet's scripts are not atomic by default.
/// </summary>
internal sealed class RedisDocumentStore(IConnectionMultiplexer redis, TimeProvider time) : IDocumentStore
{
    private static readonly RedisValue _json = "json";
    private static readonly RedisValue _bytes = "bytes";
    private static readonly RedisValue _expires = "expires";
    private static readonly RedisValue _version = "version";
    private static readonly RedisValue _objects = "objects";
    private static readonly RedisValue[] _fields = [_json, _bytes, _expires, _version];

    private readonly RedisCalls _redis = new(redis);

    public Task<AddResult> AddAsync(Document document, TenantUsage? quota) => RedisCalls.RunAsync(async () =>
    {
        var database = _redis.Database;
        var key = document.Key;
        await database.SetAddAsync(DocumentKeys.Tenants, key.Tenant);
        var transaction = database.CreateTransaction();
        transaction.AddCondition(Condition.KeyNotExists(DocumentKeys.Document(key)));
        _ = transaction.HashSetAsync(
            DocumentKeys.Document(key),
            [new(_json, document.Json), new(_bytes, document.Bytes), new(_expires, document.ExpiresAt.ToUnixTimeMilliseconds()), new(_version, document.Version)]);
        _ = transaction.SortedSetAddAsync(DocumentKeys.Index(key.Tenant, key.Kind), key.Id, 0);
        _ = transaction.SortedSetAddAsync(DocumentKeys.Expiry(key.Tenant), Member(key), document.ExpiresAt.ToUnixTimeMilliseconds());
        var bytes = transaction.HashIncrementAsync(DocumentKeys.Usage(key.Tenant), _bytes, document.Bytes);
        var objects = transaction.HashIncrementAsync(DocumentKeys.Usage(key.Tenant), _objects);
        if (!await transaction.ExecuteAsync())
        {
            return AddResult.Exists;
        }

        // Counted first and looked at then: of two that come together and of which only one has room, one goes.
        if (quota is { } most && !new TenantUsage(await bytes, await objects).IsWithin(most))
        {
            await RemoveCoreAsync(key);
            return AddResult.QuotaExceeded;
        }

        await _redis.CommitAsync();
        return AddResult.Added;
    });

    public Task<Document?> GetAsync(DocumentKey key) => RedisCalls.RunAsync(
        async () => Read(key, await _redis.Database.HashGetAsync(DocumentKeys.Document(key), _fields)));

    public Task<bool> UpdateAsync(Document read, ReadOnlyMemory<byte> json) => RedisCalls.RunAsync(async () =>
    {
        var key = DocumentKeys.Document(read.Key);
        var transaction = _redis.Database.CreateTransaction();
        transaction.AddCondition(Condition.HashEqual(key, _version, read.Version));
        _ = transaction.HashSetAsync(key, [new(_json, json), new(_version, read.Version + 1)]);
        if (!await transaction.ExecuteAsync())
        {
            return false;
        }

        await _redis.CommitAsync();
        return true;
    });

    public Task<bool> ExpireAsync(DocumentKey key) => RedisCalls.RunAsync(async () =>
    {
        if (await GetAsync(key) is not { } read)
        {
            return false;
        }

        var transaction = _redis.Database.CreateTransaction();
        transaction.AddCondition(Condition.HashEqual(DocumentKeys.Document(key), _expires, read.ExpiresAt.ToUnixTimeMilliseconds()));
        _ = transaction.HashSetAsync(DocumentKeys.Document(key), _expires, 0);
        _ = transaction.SortedSetAddAsync(DocumentKeys.Expiry(key.Tenant), Member(key), 0);
        if (!await transaction.ExecuteAsync())
        {
            return false;
        }

        await _redis.CommitAsync();
        return true;
    });

    public Task RemoveAsync(DocumentKey key) => RedisCalls.RunAsync(async () =>
    {
        await RemoveCoreAsync(key);
        await _redis.CommitAsync();
        return true;
    });

    public Task<IReadOnlyList<Document>> ListAsync(string tenant, string kind, PageRequest page) => RedisCalls.RunAsync<IReadOnlyList<Document>>(async () =>
    {
        var found = new List<Document>();
        var after = page.After;
        while (found.Count < page.Limit)
        {
            var ids = await NamesAsync(tenant, kind, page with { After = after, Limit = page.Limit - found.Count });
            var reads = Array.ConvertAll(ids, id => GetAsync(new DocumentKey(tenant, kind, id!)));
            found.AddRange((await Task.WhenAll(reads)).OfType<Document>());
            if (ids.Length == 0)
            {
                break;
            }

            after = ids[^1];
        }

        return found;
    });

    public Task<TenantUsage> UsageAsync(string tenant) => RedisCalls.RunAsync(async () =>
    {
        var values = await _redis.Database.HashGetAsync(DocumentKeys.Usage(tenant), [_bytes, _objects]);
        return new TenantUsage((long)values[0], (long)values[1]);
    });

    public Task<IReadOnlyList<DocumentKey>> ExpiredAsync(int limit) => RedisCalls.RunAsync<IReadOnlyList<DocumentKey>>(async () =>
    {
        var database = _redis.Database;
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var keys = new List<DocumentKey>();
        foreach (var tenant in await database.SetMembersAsync(DocumentKeys.Tenants))
        {
            var members = await database.SortedSetRangeByScoreAsync(DocumentKeys.Expiry(tenant!), stop: now, take: limit - keys.Count);
            keys.AddRange(members.Select(member => Key(tenant!, member!)));
            if (keys.Count == limit)
            {
                break;
            }
        }

        return keys;
    });

    private async Task RemoveCoreAsync(DocumentKey key)
    {
        var database = _redis.Database;
        var bytes = await database.HashGetAsync(DocumentKeys.Document(key), _bytes);
        var transaction = database.CreateTransaction();
        // Of two that remove it at once, one gives its room back.
        transaction.AddCondition(Condition.KeyExists(DocumentKeys.Document(key)));
        _ = transaction.KeyDeleteAsync(DocumentKeys.Document(key));
        _ = transaction.SortedSetRemoveAsync(DocumentKeys.Index(key.Tenant, key.Kind), key.Id);
        _ = transaction.SortedSetRemoveAsync(DocumentKeys.Expiry(key.Tenant), Member(key));
        _ = transaction.HashDecrementAsync(DocumentKeys.Usage(key.Tenant), _bytes, (long)bytes);
        _ = transaction.HashDecrementAsync(DocumentKeys.Usage(key.Tenant), _objects);
        if (!await transaction.ExecuteAsync())
        {
            await database.SortedSetRemoveAsync(DocumentKeys.Expiry(key.Tenant), Member(key));
        }
    }

    private Task<RedisValue[]> NamesAsync(string tenant, string kind, PageRequest page)
    {
        var after = page.After is { } name ? (RedisValue)name : default;
        return _redis.Database.SortedSetRangeByValueAsync(
            DocumentKeys.Index(tenant, kind),
            min: page.Descending ? default : after,
            max: page.Descending ? after : default,
            exclude: page.After is null ? Exclude.None : page.Descending ? Exclude.Stop : Exclude.Start,
            order: page.Descending ? Order.Descending : Order.Ascending,
            take: page.Limit);
    }

    private Document? Read(DocumentKey key, RedisValue[] values)
    {
        if (values[0].IsNull)
        {
            return null;
        }

        var expiresAt = DateTimeOffset.FromUnixTimeMilliseconds((long)values[2]);
        return expiresAt > time.GetUtcNow() ? new Document(key, values[0], (long)values[1], expiresAt, (long)values[3]) : null;
    }

    private static RedisValue Member(DocumentKey key) => string.Create(CultureInfo.InvariantCulture, $"{key.Kind}:{key.Id}");

    private static DocumentKey Key(string tenant, string member)
    {
        var colon = member.IndexOf(':', StringComparison.Ordinal);
        return new DocumentKey(tenant, member[..colon], member[(colon + 1)..]);
    }
}
