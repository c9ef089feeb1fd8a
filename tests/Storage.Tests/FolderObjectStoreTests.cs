using Microsoft.Extensions.Options;
using Serving.Serving.Tests;
using Serving.Storage.Configuration;
using Serving.Storage.Objects;

namespace Serving.Storage.Tests;

public sealed class FolderObjectStoreTests
{
    private static readonly CancellationToken _none = CancellationToken.None;

    [Fact]
    public async Task An_object_is_there_whole_or_not_at_all()
    {
        using var folder = new TemporaryFolder();
        var store = Store(folder);
        var key = ObjectKey.Of("file", "local", "file-1");
        Assert.Null(await store.OpenAsync(key, _none));
        Assert.False(await store.DeleteAsync(key, _none));

        await using (var abandoned = await store.CreateAsync(key, _none))
        {
            await abandoned.Stream.WriteAsync("half"u8.ToArray(), _none);
            await abandoned.Stream.FlushAsync(_none);
            Assert.Null(await store.OpenAsync(key, _none));
        }

        Assert.Empty(Directory.GetFiles(folder.Root, "*", SearchOption.AllDirectories));
        await WriteAsync(store, key, "whole");
        Assert.Equal("whole", await ReadAsync(store, key));

        await using (var open = await store.OpenAsync(key, _none))
        {
            // Who reads an object goes on reading what it opened, whatever comes in its place.
            await WriteAsync(store, key, "another");
            using var reader = new StreamReader(open!);
            Assert.Equal("whole", await reader.ReadToEndAsync(_none));
        }

        Assert.Equal("another", await ReadAsync(store, key));
        Assert.True(await store.DeleteAsync(key, _none));
        Assert.Null(await store.OpenAsync(key, _none));
    }

    [Fact]
    public async Task What_is_written_only_its_owner_can_read()
    {
        using var folder = new TemporaryFolder();
        await WriteAsync(Store(folder), ObjectKey.Of("file", "local", "x"), "secret");
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        foreach (var path in (string[])[folder.File("stored"), .. Directory.GetFiles(folder.File("stored"), "*", SearchOption.AllDirectories)])
        {
            Assert.Equal(default, File.GetUnixFileMode(path) & others);
        }
    }

    [Fact]
    public async Task Lists_by_whole_segments()
    {
        using var folder = new TemporaryFolder();
        var store = Store(folder);
        foreach (var name in new[] { "2", "1", "10" })
        {
            await WriteAsync(store, ObjectKey.Of("part", "local", "batch_a", name), name);
        }

        await WriteAsync(store, ObjectKey.Of("part", "local", "batch_ab", "1"), "other");
        Assert.Equal(["1", "10", "2"], await NamesAsync(store, ObjectKey.Of("part", "local", "batch_a")));
        Assert.Equal(4, (await NamesAsync(store, default)).Count);
        Assert.Empty(await NamesAsync(store, ObjectKey.Of("nothing")));
    }

    [Fact]
    public async Task Drafts_that_nobody_ends_go_once_they_are_old()
    {
        using var folder = new TemporaryFolder();
        var store = Store(folder);
        await using var draft = await store.CreateAsync(ObjectKey.Of("file", "local", "x"), _none);
        await store.RemoveAbandonedAsync(TimeSpan.FromHours(1), _none);
        var path = Assert.Single(Directory.GetFiles(folder.Root, "*", SearchOption.AllDirectories));
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(-2));
        await store.RemoveAbandonedAsync(TimeSpan.FromHours(1), _none);
        Assert.Empty(Directory.GetFiles(folder.Root, "*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("a b")]
    [InlineData("a\0")]
    [InlineData("ä")]
    public void A_name_that_could_lead_elsewhere_is_none(string segment) => Assert.Throws<ArgumentException>(() => ObjectKey.Of("file", segment));

    [Fact]
    public async Task Without_a_folder_it_says_which_option_is_missing()
    {
        var store = new FolderObjectStore(Options.Create(new StorageOptions()), TimeProvider.System);
        var error = await Assert.ThrowsAsync<StorageUnavailableException>(async () => await store.OpenAsync(ObjectKey.Of("a"), _none));
        Assert.Contains("Storage:Folder", error.Message);
    }

    internal static FolderObjectStore Store(TemporaryFolder folder, TimeProvider? time = null) =>
        new(Options.Create(new StorageOptions { Folder = folder.File("stored") }), time ?? TimeProvider.System);

    private static async Task WriteAsync(FolderObjectStore store, ObjectKey key, string text)
    {
        await using var writer = await store.CreateAsync(key, _none);
        await writer.Stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text), _none);
        await writer.CommitAsync(_none);
    }

    private static async Task<string> ReadAsync(FolderObjectStore store, ObjectKey key)
    {
        using var reader = new StreamReader((await store.OpenAsync(key, _none))!);
        return await reader.ReadToEndAsync(_none);
    }

    private static async Task<List<string>> NamesAsync(FolderObjectStore store, ObjectKey prefix)
    {
        var names = new List<string>();
        await foreach (var stored in store.ListAsync(prefix, _none))
        {
            names.Add(stored.Key.Path.Split('/')[^1]);
        }

        return names;
    }
}
