using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Serving.Serving.Tests;
using Serving.Storage.Configuration;
using Serving.Storage.Documents;
using Serving.Storage.Objects;
using Serving.Storage.Tests.Support;

namespace Serving.Storage.Tests;

public sealed partial class CollectionTests : IDisposable
{
    private static readonly CancellationToken _none = CancellationToken.None;
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly StorageOptions _options;
    private readonly StorageServices _storage;
    private readonly DocumentCollection<Thing> _things;

    public CollectionTests()
    {
        _options = new StorageOptions { Folder = _folder.File("stored"), TenantBytesMax = 1_000, TenantObjectsMax = 300 };
        _storage = new StorageServices(new MemoryDocumentStore(_time), FolderObjectStoreTests.Store(_folder, _time), Options.Create(_options));
        _things = new DocumentCollection<Thing>("thing", ThingJson.Default.Thing, _storage);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_thing_has_its_contents_and_both_go_together()
    {
        var id = await AddAsync("t", "red", contents: "hello");
        Assert.Equal("red", (await _things.GetAsync("t", id))!.Value.Colour);
        Assert.Equal("hello"u8.ToArray(), await _things.ReadContentsAsync("t", id, _none));
        Assert.Null(await _things.GetAsync("other", id));
        Assert.Null(await _things.ReadContentsAsync("other", id, _none));
        Assert.False(await _things.DeleteAsync("other", id));

        Assert.True(await _things.DeleteAsync("t", id));
        Assert.Null(await _things.GetAsync("t", id));
        Assert.Empty(Directory.GetFiles(_folder.Root, "*", SearchOption.AllDirectories));
        Assert.Null(await _things.CheckRoomAsync("t", 1_000));
    }

    [Fact]
    public async Task A_thing_without_room_leaves_no_contents()
    {
        await _things.WriteContentsAsync("t", "x", new byte[1_001], _none);
        Assert.Equal(AddResult.QuotaExceeded, await _things.AddAsync("t", "x", new Thing("red"), _time.GetUtcNow().AddDays(1), contentsBytes: 1_001));
        Assert.Empty(Directory.GetFiles(_folder.Root, "*", SearchOption.AllDirectories));
        Assert.NotNull(await _things.CheckRoomAsync("t", 1_001));
    }

    [Theory]
    [InlineData("")]
    [InlineData("../secret")]
    [InlineData("a:b")]
    [InlineData("ä")]
    public async Task What_cannot_be_a_name_is_nobodys(string id)
    {
        Assert.Null(await _things.GetAsync("t", id));
        Assert.Null(await _things.OpenContentsAsync("t", id, _none));
        Assert.Null(await _things.UpdateAsync("t", id, thing => thing));
        Assert.False(await _things.DeleteAsync("t", id));
    }

    [Fact]
    public async Task A_page_tells_whether_there_are_more_whatever_the_filter()
    {
        var colours = new[] { "red", "blue", "red", "red", "blue", "red" };
        var ids = new List<string>();
        foreach (var colour in colours)
        {
            ids.Add(await AddAsync("t", colour));
        }

        var page = await _things.ListAsync("t", new PageRequest(2), thing => thing.Colour == "red");
        Assert.Equal([ids[0], ids[2]], Ids(page));
        Assert.True(page.HasMore);
        page = await _things.ListAsync("t", new PageRequest(2, After: ids[2]), thing => thing.Colour == "red");
        Assert.Equal([ids[3], ids[5]], Ids(page));
        Assert.False(page.HasMore);
        page = await _things.ListAsync("t", new PageRequest(6));
        Assert.Equal((6, false), (page.Entries.Count, page.HasMore));
        page = await _things.ListAsync("t", new PageRequest(5, Descending: true));
        Assert.Equal((ids[5], 5, true), (page.Entries[0].Id, page.Entries.Count, page.HasMore));
        Assert.Empty((await _things.ListAsync("other", new PageRequest(5))).Entries);
    }

    [Fact]
    public async Task The_sweep_removes_what_has_expired_with_its_contents_and_nothing_else()
    {
        var gone = await AddAsync("t", "red", contents: "a", life: TimeSpan.FromHours(1));
        var stays = await AddAsync("t", "blue", contents: "b", life: TimeSpan.FromDays(30));
        await _things.WriteContentsAsync("t", "orphan", "c"u8.ToArray(), _none);
        using var sweep = new StorageSweep(_storage, new MemoryLeaseStore(_time), Options.Create(_options), _time, NullLogger<StorageSweep>.Instance);

        _time.Advance(TimeSpan.FromHours(2));
        await sweep.SweepAsync(_none);
        Assert.Null(await _things.GetAsync("t", gone));
        Assert.Equal(["thing/t/orphan", $"thing/t/{stays}"], await ObjectsAsync());
        Assert.Equal(1, (await _storage.Documents.UsageAsync("t")).Objects);

        _time.Advance(TimeSpan.FromDays(29));
        await sweep.SweepAsync(_none);
        Assert.NotNull(await _things.GetAsync("t", stays));

        // By now the object without a document is older than any document may be.
        _time.Advance(TimeSpan.FromDays(3));
        await sweep.SweepAsync(_none);
        Assert.Empty(await ObjectsAsync());
        Assert.Equal(new TenantUsage(0, 0), await _storage.Documents.UsageAsync("t"));
    }

    private async Task<List<string>> ObjectsAsync()
    {
        var names = new List<string>();
        await foreach (var stored in _storage.Objects.ListAsync(default, _none))
        {
            names.Add(stored.Key.Path);
        }

        return names;
    }

    private static List<string> Ids(DocumentPage<Thing> page) => [.. page.Entries.Select(entry => entry.Id)];

    private async Task<string> AddAsync(string tenant, string colour, string? contents = null, TimeSpan? life = null)
    {
        _time.Advance(TimeSpan.FromMilliseconds(1));
        var id = StoreId.New("thing-", _time.GetUtcNow());
        if (contents is not null)
        {
            await _things.WriteContentsAsync(tenant, id, System.Text.Encoding.UTF8.GetBytes(contents), _none);
        }

        Assert.Equal(AddResult.Added, await _things.AddAsync(tenant, id, new Thing(colour), _time.GetUtcNow() + (life ?? TimeSpan.FromDays(1)), contents?.Length ?? 0));
        return id;
    }

    internal sealed record Thing(string Colour);

    [JsonSerializable(typeof(Thing))]
    internal sealed partial class ThingJson : JsonSerializerContext;
}
