using System.Text;
using Microsoft.Extensions.Time.Testing;
using Serving.Serving.Tests.Registry;
using Serving.Storage.Documents;
using Serving.Storage.Tests.Support;

namespace Serving.Storage.Tests;

/// <summary>What <see cref="IDocumentStore"/> promises, of each server and of the fake.</summary>
public sealed class DocumentStoreTests
{
    private const string Kind = "thing";
    private static readonly TenantUsage _roomy = new(1_000_000, 1_000);

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Garnet)]
    [InlineData(Stores.Debian)]
    public async Task Keeps_changes_and_removes_a_document_of_its_tenant_alone(string server)
    {
        await using var stores = await Stores.StartAsync(server);
        var key = new DocumentKey("a", Kind, "x");
        Assert.Equal(AddResult.Added, await stores.Documents.AddAsync(New(key, "{\"v\":\"ä\"}", bytes: 70), _roomy));
        Assert.Equal(AddResult.Exists, await stores.Documents.AddAsync(New(key, "{}"), _roomy));

        var read = await stores.Documents.GetAsync(key);
        Assert.Equal(("{\"v\":\"ä\"}", 70L, 0L), (Text(read!), read!.Bytes, read.Version));
        Assert.Null(await stores.Documents.GetAsync(key with { Tenant = "b" }));
        Assert.Null(await stores.Documents.GetAsync(key with { Tenant = "" }));
        Assert.Null(await stores.Documents.GetAsync(key with { Kind = "other" }));
        Assert.False(await stores.Documents.ExpireAsync(key with { Tenant = "b" }));

        Assert.True(await stores.Documents.UpdateAsync(read, "{\"v\":2}"u8.ToArray()));
        Assert.False(await stores.Documents.UpdateAsync(read, "{\"v\":3}"u8.ToArray()));
        Assert.Equal("{\"v\":2}", Text((await stores.Documents.GetAsync(key))!));
        Assert.Equal(new TenantUsage(70, 1), await stores.Documents.UsageAsync("a"));

        Assert.True(await stores.Documents.ExpireAsync(key));
        Assert.False(await stores.Documents.ExpireAsync(key));
        Assert.Null(await stores.Documents.GetAsync(key));
        Assert.Equal(new TenantUsage(70, 1), await stores.Documents.UsageAsync("a"));
        Assert.Equal([key], await stores.Documents.ExpiredAsync(10));

        await Task.WhenAll(stores.Documents.RemoveAsync(key), stores.Documents.RemoveAsync(key));
        Assert.Equal(new TenantUsage(0, 0), await stores.Documents.UsageAsync("a"));
        Assert.Empty(await stores.Documents.ExpiredAsync(10));
        Assert.Empty(await stores.Documents.ListAsync("a", Kind, new PageRequest(10)));
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Garnet)]
    [InlineData(Stores.Debian)]
    public async Task Pages_by_name_forwards_and_backwards_also_from_a_name_that_is_gone(string server)
    {
        await using var stores = await Stores.StartAsync(server);
        foreach (var id in new[] { "e", "a", "c", "d", "b" })
        {
            await stores.Documents.AddAsync(New(new DocumentKey("", Kind, id), "{}"), _roomy);
        }

        await stores.Documents.AddAsync(New(new DocumentKey("", "thing-else", "z"), "{}"), _roomy);
        Assert.Equal("ab", await ListAsync(new PageRequest(2)));
        Assert.Equal("cde", await ListAsync(new PageRequest(5, After: "b")));
        Assert.Equal("edc", await ListAsync(new PageRequest(3, Descending: true)));
        Assert.Equal("ba", await ListAsync(new PageRequest(9, After: "c", Descending: true)));

        await stores.Documents.ExpireAsync(new DocumentKey("", Kind, "b"));
        await stores.Documents.RemoveAsync(new DocumentKey("", Kind, "c"));
        Assert.Equal("ade", await ListAsync(new PageRequest(3)));
        Assert.Equal("de", await ListAsync(new PageRequest(9, After: "c")));
        Assert.Equal("", await ListAsync(new PageRequest(9, After: "zz")));

        async Task<string> ListAsync(PageRequest page) => string.Concat((await stores.Documents.ListAsync("", Kind, page)).Select(document => document.Key.Id));
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Garnet)]
    [InlineData(Stores.Debian)]
    public async Task Holds_the_quota_when_many_come_at_once(string server)
    {
        await using var stores = await Stores.StartAsync(server);
        var results = await Task.WhenAll(Enumerable.Range(0, 40).Select(i =>
            stores.Documents.AddAsync(New(new DocumentKey("t", Kind, $"i{i}"), "{}", bytes: 10), new TenantUsage(100, 1_000))));

        // Those that come together may all be refused where one would fit, but never is one too many let in.
        Assert.InRange(results.Count(result => result == AddResult.Added), 1, 10);
        var usage = await stores.Documents.UsageAsync("t");
        Assert.Equal(results.Count(result => result == AddResult.Added), usage.Objects);
        Assert.Equal(usage.Objects * 10, usage.Bytes);
        Assert.Equal(usage.Objects, (await stores.Documents.ListAsync("t", Kind, new PageRequest(100))).Count);

        Assert.Equal(AddResult.QuotaExceeded, await stores.Documents.AddAsync(New(new DocumentKey("t", Kind, "one"), "{}", bytes: 101), new TenantUsage(100, 1_000)));
        Assert.Equal(AddResult.QuotaExceeded, await stores.Documents.AddAsync(New(new DocumentKey("t", Kind, "one"), "{}", bytes: 0), new TenantUsage(100, usage.Objects)));
        Assert.Equal(AddResult.Added, await stores.Documents.AddAsync(New(new DocumentKey("t", Kind, "one"), "{}", bytes: 101), quota: null));
        Assert.Equal(AddResult.Added, await stores.Documents.AddAsync(New(new DocumentKey("u", Kind, "one"), "{}", bytes: 100), new TenantUsage(100, 1)));
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Garnet)]
    [InlineData(Stores.Debian)]
    public async Task Of_many_changes_at_once_none_is_lost(string server)
    {
        await using var stores = await Stores.StartAsync(server);
        var key = new DocumentKey("t", Kind, "n");
        await stores.Documents.AddAsync(New(key, "0"), _roomy);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            for (var i = 0; i < 5;)
            {
                var read = (await stores.Documents.GetAsync(key))!;
                i += await stores.Documents.UpdateAsync(read, Encoding.UTF8.GetBytes($"{int.Parse(Text(read)) + 1}")) ? 1 : 0;
            }
        }));
        Assert.Equal("40", Text((await stores.Documents.GetAsync(key))!));
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Garnet)]
    [InlineData(Stores.Debian)]
    public async Task What_has_expired_is_out_of_sight_until_it_is_removed(string server)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var stores = await Stores.StartAsync(server, time);
        var (soon, late) = (new DocumentKey("t", Kind, "soon"), new DocumentKey("u", Kind, "late"));
        await stores.Documents.AddAsync(New(soon, "{}") with { ExpiresAt = time.GetUtcNow().AddHours(1) }, _roomy);
        await stores.Documents.AddAsync(New(late, "{}") with { ExpiresAt = time.GetUtcNow().AddHours(2) }, _roomy);
        Assert.Empty(await stores.Documents.ExpiredAsync(10));

        time.Advance(TimeSpan.FromHours(1));
        Assert.Null(await stores.Documents.GetAsync(soon));
        Assert.Empty(await stores.Documents.ListAsync("t", Kind, new PageRequest(10)));
        Assert.Equal([soon], await stores.Documents.ExpiredAsync(10));
        Assert.NotNull(await stores.Documents.GetAsync(late));
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(2, (await stores.Documents.ExpiredAsync(10)).Count);
        Assert.Single(await stores.Documents.ExpiredAsync(1));
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Garnet)]
    [InlineData(Stores.Debian)]
    public async Task One_holds_a_lease_at_a_time_and_each_holder_has_a_later_term(string server)
    {
        await using var stores = await Stores.StartAsync(server);
        var minute = TimeSpan.FromMinutes(1);
        var first = await stores.Leases.TakeAsync("l", "a", minute);
        Assert.NotNull(first);
        Assert.Null(await stores.Leases.TakeAsync("l", "b", minute));
        Assert.NotNull(await stores.Leases.TakeAsync("other", "b", minute));
        Assert.True(await stores.Leases.RenewAsync("l", "a", minute));
        Assert.False(await stores.Leases.RenewAsync("l", "b", minute));
        await stores.Leases.ReleaseAsync("l", "b");
        Assert.Null(await stores.Leases.TakeAsync("l", "b", minute));
        await stores.Leases.ReleaseAsync("l", "a");
        Assert.True(await stores.Leases.TakeAsync("l", "b", TimeSpan.FromMilliseconds(50)) > first);

        await Task.Delay(TimeSpan.FromMilliseconds(300), TestContext.Current.CancellationToken);
        Assert.False(await stores.Leases.RenewAsync("l", "b", minute));
        Assert.True(await stores.Leases.TakeAsync("l", "a", minute) > first + 1);
    }

    [Fact]
    public async Task While_redis_is_away_every_call_says_so_and_afterwards_they_work()
    {
        await using var stores = await Stores.StartAsync(Stores.Debian);
        var redis = (DebianRedis)stores.Server!;
        var key = new DocumentKey("t", Kind, "x");
        await stores.Documents.AddAsync(New(key, "{}"), _roomy);
        redis.Stop();
        await Assert.ThrowsAsync<StorageUnavailableException>(() => stores.Documents.GetAsync(key));
        await Assert.ThrowsAsync<StorageUnavailableException>(() => stores.Documents.AddAsync(New(key, "{}"), _roomy));
        await Assert.ThrowsAsync<StorageUnavailableException>(() => stores.Documents.UsageAsync("t"));
        await Assert.ThrowsAsync<StorageUnavailableException>(() => stores.Leases.TakeAsync("l", "a", TimeSpan.FromMinutes(1)));

        redis.Restart();
        await stores.AnswersAsync();
        Assert.Null(await stores.Documents.GetAsync(key));
    }

    private static Document New(DocumentKey key, string json, long bytes = 1) =>
        new(key, Encoding.UTF8.GetBytes(json), bytes, DateTimeOffset.UtcNow.AddDays(1), Version: 0);

    private static string Text(Document document) => Encoding.UTF8.GetString(document.Json.Span);
}
