using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace Serving.EndToEnd;

/// <summary>A platform of its own, because this test kills it.</summary>
public sealed class BatchKillTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);

    /// <summary>
    /// First the gateway alone is killed, then every process with the embedded Redis, each in the middle of the batch. Each line asks for a number of its own,
    /// so that an answer under a wrong name would be seen too.
    /// </summary>
    [Fact]
    public async Task Kill_9_in_the_middle_neither_loses_nor_repeats_a_line()
    {
        const int lines = 60;
        await using Platform platform = await Platform.StartAsync();
        string id = await StartAsync(platform, string.Join('\n', Enumerable.Range(1, lines).Select(Line)));

        await DoneAsync(platform, id, 8);
        ProcessTable.Send(ProcessTable.ThatMention(platform.Root).Single(pid => CommandLine(pid).Contains("Serving.Gateway", StringComparison.Ordinal)), UnixSignal.Kill);
        await platform.WaitUntilReadyAsync();
        int afterFirst = (await BatchAsync(platform, id))!["request_counts"]!["completed"]!.GetValue<int>();
        Assert.InRange(afterFirst, 8, lines - 1);

        await DoneAsync(platform, id, afterFirst + 8);
        // What a client has been told is stored is there after the next moment's kill.
        string last = await StoreAsync(platform, "the last");
        foreach (int pid in platform.Processes())
        {
            ProcessTable.Send(pid, UnixSignal.Kill);
        }

        await platform.WaitForExitAsync(TimeSpan.FromSeconds(10));
        await Cluster.WaitUntilAsync(() => Task.FromResult(platform.Processes().Count == 0), "a killed process is still there");
        await platform.RestartAsync();
        Assert.Equal("the last", await platform.Client.GetStringAsync($"/v1/files/{last}/content"));
        JsonNode batch = await DoneAsync(platform, id, lines);
        Assert.Equal(
            (lines, lines, 0),
            (batch["request_counts"]!["total"]!.GetValue<int>(), batch["request_counts"]!["completed"]!.GetValue<int>(), batch["request_counts"]!["failed"]!.GetValue<int>()));

        string output = await platform.Client.GetStringAsync($"/v1/files/{batch["output_file_id"]}/content");
        List<JsonNode> results = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
        Assert.Equal(lines, results.Count);
        Assert.Equal(Enumerable.Range(1, lines), results.Select(result => int.Parse((string)result["custom_id"]!)).Order());
        Assert.All(results, result => Assert.Equal(Expected((string)result["custom_id"]!), Text(result)));
        Assert.Null(batch["error_file_id"]);
        // The recorded parts go once the end is told.
        await Cluster.WaitUntilAsync(() => Task.FromResult(Stored(platform).Count == 3), "other objects stay than the input, the last and the answers", _patience);
    }

    /// <summary>What a line is answered with: its own number, whichever model answers.</summary>
    private static string Expected(string customId) => $"line {customId} of the batch";

    private static string Line(int number)
    {
        JsonObject body = Chat.Request($"Say: {number}", maxTokens: 64);
        body["guided_choice"] = new JsonArray(Expected($"{number}"));
        return new JsonObject { ["custom_id"] = $"{number}", ["method"] = "POST", ["url"] = Chat.Route, ["body"] = body }.ToJsonString();
    }

    private static string Text(JsonNode result) => (string)result["response"]!["body"]!["choices"]![0]!["message"]!["content"]!;

    private static List<string> Stored(Platform platform) =>
        [.. Directory.GetFiles(Path.Combine(platform.Data, "stored"), "*", SearchOption.AllDirectories).Where(path => !path.Contains("drafts", StringComparison.Ordinal))];

    private static string CommandLine(int pid) => File.ReadAllText($"/proc/{pid}/cmdline");

    private static async Task<string> StoreAsync(Platform platform, string contents)
    {
        using MultipartFormDataContent form = new()
        {
            { new StringContent("batch"), "purpose" },
            { new ByteArrayContent(Encoding.UTF8.GetBytes(contents)), "file", "input.jsonl" },
        };
        using HttpResponseMessage file = await platform.Client.PostAsync("/v1/files", form);
        return (string)(await file.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
    }

    private static async Task<string> StartAsync(Platform platform, string input)
    {
        string file = await StoreAsync(platform, input);
        using HttpResponseMessage batch = await platform.Client.PostAsJsonAsync(
            "/v1/batches", new { input_file_id = file, endpoint = Chat.Route, completion_window = "24h" });
        return (string)(await batch.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
    }

    /// <summary>Waits until so many lines are answered; for all of them, until the batch has ended.</summary>
    private static async Task<JsonNode> DoneAsync(Platform platform, string id, int count)
    {
        JsonNode? batch = null;
        await Cluster.WaitUntilAsync(
            async () =>
            {
                batch = await BatchAsync(platform, id);
                string? status = (string?)batch?["status"];
                Assert.True(status is null or "validating" or "in_progress" or "finalizing" or "completed", batch?.ToString());
                return status == "completed" || (status == "in_progress" && batch!["request_counts"]!["completed"]!.GetValue<int>() >= count && count < batch["request_counts"]!["total"]!.GetValue<int>());
            },
            $"{count} lines are not done: {batch}",
            _patience);
        return batch!;
    }

    /// <summary>Null while the gateway is away.</summary>
    private static async Task<JsonNode?> BatchAsync(Platform platform, string id)
    {
        try
        {
            return await platform.Client.GetFromJsonAsync<JsonNode>($"/v1/batches/{id}");
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
