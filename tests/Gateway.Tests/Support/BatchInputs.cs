using System.Text.Json;

namespace Serving.Gateway.Tests.Support;

/// <summary>Sends batches and looks at them.</summary>
internal static class BatchInputs
{
    public const string Chat = "/v1/chat/completions";

    /// <summary>A line that works.</summary>
    public static string Line(string customId, string? body = null, string url = Chat) =>
        $$"""{"custom_id":"{{customId}}","method":"POST","url":"{{url}}","body":{{body ?? Bodies.Chat()}}}""";

    /// <summary>Lines <c>r1</c>, <c>r2</c>, ….</summary>
    public static string Lines(int count) => string.Join('\n', Enumerable.Range(1, count).Select(i => Line($"r{i}")));

    /// <summary>A gateway that looks for batches often.</summary>
    public static Task<TestGateway> StartAsync(StubWorker? worker, params (string, string)[] settings) => TestGateway.StartAsync(Cluster(worker), [("Batch:PollSeconds", "0.05"), .. settings]);

    public static Task<TestGateway> StartAsync(StubWorker worker, TestStorage storage, params (string, string)[] settings) =>
        TestGateway.StartAsync(Cluster(worker), storage, [("Batch:PollSeconds", "0.05"), .. settings]);

    private static FakeClusterView Cluster(StubWorker? worker)
    {
        var cluster = new FakeClusterView();
        cluster.Add(Workers.Prefill("prefill-1"));
        if (worker is not null)
        {
            cluster.Add(worker.Registration());
        }

        return cluster;
    }

    /// <summary>A new batch's id.</summary>
    public static async Task<string> StartBatchAsync(this TestGateway gateway, string input, string extra = "", string endpoint = Chat)
    {
        var file = await gateway.StoreAsync(input, "batch");
        using var response = await gateway.SendAsync(
            HttpMethod.Post, "/v1/batches", $$"""{"input_file_id":"{{file}}","endpoint":"{{endpoint}}","completion_window":"24h"{{extra}}}""");
        var batch = await response.JsonAsync();
        Assert.True(response.IsSuccessStatusCode, batch.ToString());
        return batch.GetProperty("id").GetString()!;
    }

    public static async Task<JsonElement> BatchAsync(this TestGateway gateway, string id)
    {
        using var response = await gateway.SendAsync(HttpMethod.Get, $"/v1/batches/{id}");
        return await response.JsonAsync();
    }

    /// <summary>The batch once it is as expected.</summary>
    public static async Task<JsonElement> BatchAsync(this TestGateway gateway, string id, Func<JsonElement, bool> isExpected)
    {
        for (var limit = DateTime.UtcNow + TestTime.LimitTime; ;)
        {
            var batch = await gateway.BatchAsync(id);
            if (isExpected(batch))
            {
                return batch;
            }

            Assert.True(DateTime.UtcNow < limit, batch.ToString());
            await Task.Delay(20);
        }
    }

    public static Task<JsonElement> EndedAsync(this TestGateway gateway, string id, string status = "completed") => gateway.BatchAsync(id, batch =>
    {
        var actual = batch.GetProperty("status").GetString();
        Assert.True(actual == status || actual is not ("completed" or "failed" or "expired" or "cancelled"), batch.ToString());
        return actual == status;
    });

    /// <summary>The lines of one of a batch's files by their custom id; none where there is no such file.</summary>
    public static async Task<Dictionary<string, JsonElement>> ResultsAsync(this TestGateway gateway, JsonElement batch, string file)
    {
        if (!batch.TryGetProperty(file, out var id))
        {
            return [];
        }

        using var response = await gateway.SendAsync(HttpMethod.Get, $"/v1/files/{id}/content");
        var text = await response.Content.ReadAsStringAsync();
        // A line that came twice would be an error here.
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToDictionary(line => line.GetProperty("custom_id").GetString()!);
    }

    public static (int Total, int Completed, int Failed) Counts(this JsonElement batch)
    {
        var counts = batch.GetProperty("request_counts");
        return (counts.GetProperty("total").GetInt32(), counts.GetProperty("completed").GetInt32(), counts.GetProperty("failed").GetInt32());
    }
}
