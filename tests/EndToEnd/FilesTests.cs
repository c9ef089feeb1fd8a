using System.Text.Json;

namespace Serving.EndToEnd;

[Collection(SharedPlatformCollection.Name)]
public sealed class FilesTests(SharedPlatform shared)
{
    [Fact]
    public async Task The_openai_npm_client_keeps_lists_reads_and_deletes_files()
    {
        JsonElement seen = await Node.RunAsync(shared.Platform, "files.mjs");
        JsonElement first = seen.GetProperty("first");
        string[] ids = [seen.GetProperty("second").GetProperty("id").GetString()!, first.GetProperty("id").GetString()!];
        Assert.Equal("näme.jsonl", first.GetProperty("filename").GetString());
        Assert.Equal(3600, first.GetProperty("expires_at").GetInt64() - first.GetProperty("created_at").GetInt64());
        Assert.Equal("processed", seen.GetProperty("processed").GetProperty("status").GetString());
        Assert.Equal("second\n", seen.GetProperty("contents").GetString());
        Assert.Equal(ids, seen.GetProperty("deleted").EnumerateArray().Select(id => id.GetString()));
        Assert.Equal(404, seen.GetProperty("gone").GetInt32());
        Assert.DoesNotContain(Directory.GetFiles(Path.Combine(shared.Platform.Data, "stored"), "*", SearchOption.AllDirectories), path => ids.Contains(Path.GetFileName(path)));
    }
}
