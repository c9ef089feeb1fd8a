using System.Text.Json;

namespace Serving.EndToEnd;

[Collection(SharedPlatformCollection.Name)]
public sealed class BatchTests(SharedPlatform shared)
{
    [Fact]
    public async Task The_openai_npm_client_runs_a_batch_to_its_files()
    {
        JsonElement seen = await Node.RunAsync(shared.Platform, "batches.mjs");
        JsonElement completed = seen.GetProperty("completed");
        Assert.Equal("completed", completed.GetProperty("status").GetString());
        Assert.Equal("nightly", completed.GetProperty("metadata").GetProperty("job").GetString());
        Assert.Equal((1, 1), (completed.GetProperty("request_counts").GetProperty("completed").GetInt32(), completed.GetProperty("request_counts").GetProperty("failed").GetInt32()));
        JsonElement answer = Assert.Single(seen.GetProperty("answers").EnumerateArray());
        Assert.Equal(Chat.Answer, answer.GetProperty("response").GetProperty("body").GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString());
        Assert.Equal(completed.GetProperty("usage").GetProperty("total_tokens").GetInt32(), answer.GetProperty("response").GetProperty("body").GetProperty("usage").GetProperty("total_tokens").GetInt32());
        JsonElement error = Assert.Single(seen.GetProperty("errors").EnumerateArray());
        Assert.Equal(("wrong", 400), (error.GetProperty("custom_id").GetString(), error.GetProperty("response").GetProperty("status_code").GetInt32()));
        Assert.Equal((409, "batch_not_cancellable"), (seen.GetProperty("refusal").GetProperty("status").GetInt32(), seen.GetProperty("refusal").GetProperty("code").GetString()));
        Assert.Equal([completed.GetProperty("id").GetString()], seen.GetProperty("listed").EnumerateArray().Select(id => id.GetString()));
    }
}
