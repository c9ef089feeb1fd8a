using System.Text.Json;

namespace Serving.EndToEnd;

[Collection(SharedPlatformCollection.Name)]
public sealed class StoredChatTests(SharedPlatform shared)
{
    [Fact]
    public async Task The_openai_npm_client_stores_finds_labels_and_deletes_chats()
    {
        JsonElement seen = await Node.RunAsync(shared.Platform, "stored-chats.mjs");
        string whole = seen.GetProperty("whole").GetProperty("id").GetString()!, streamed = seen.GetProperty("streamedId").GetString()!;
        Assert.Equal([streamed], seen.GetProperty("found").EnumerateArray().Select(id => id.GetString()));
        Assert.Equal(Chat.Answer, seen.GetProperty("streamed").GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString());
        Assert.Equal("other", seen.GetProperty("labelled").GetProperty("metadata").GetProperty("way").GetString());
        JsonElement message = Assert.Single(seen.GetProperty("messages").EnumerateArray());
        Assert.Equal(("user", Chat.Question, $"{whole}-0"), (message.GetProperty("role").GetString(), message.GetProperty("content").GetString(), message.GetProperty("id").GetString()));
        Assert.Equal([whole, streamed], seen.GetProperty("deleted").EnumerateArray().Select(id => id.GetString()));
        Assert.Equal(404, seen.GetProperty("gone").GetInt32());
    }
}
