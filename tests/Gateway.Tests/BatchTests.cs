using System.Net;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

public sealed class BatchTests
{
    [Fact]
    public async Task Each_line_is_answered_once_at_low_priority_or_says_why_not()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await BatchInputs.StartAsync(worker);
        var input = string.Join("\r\n",
            "\uFEFF" + BatchInputs.Line("good"),
            "",
            BatchInputs.Line("urgent", Bodies.Chat("\"service_tier\":\"priority\"")),
            BatchInputs.Line("wrong", Bodies.Chat("\"temperature\":9")),
            BatchInputs.Line("stream", Bodies.Chat("\"stream\":true")),
            BatchInputs.Line("unknown", Bodies.Chat(model: "nothing")) + "\n");
        var id = await gateway.StartBatchAsync(input, ",\"metadata\":{\"a\":\"ä\"},\"output_expires_after\":{\"anchor\":\"created_at\",\"seconds\":3600}");

        var batch = await gateway.EndedAsync(id);
        Assert.Equal((5, 2, 3), batch.Counts());
        Assert.Equal((Workers.Model, "ä", BatchInputs.Chat, "24h", "batch"), (Text(batch, "model"), Text(batch.GetProperty("metadata"), "a"), Text(batch, "endpoint"), Text(batch, "completion_window"), Text(batch, "object")));
        Assert.Equal(86_400, batch.GetProperty("expires_at").GetInt64() - batch.GetProperty("created_at").GetInt64());
        foreach (var time in new[] { "in_progress_at", "finalizing_at", "completed_at" })
        {
            Assert.InRange(batch.GetProperty(time).GetInt64(), batch.GetProperty("created_at").GetInt64(), batch.GetProperty("expires_at").GetInt64());
        }

        var (answers, errors) = (await gateway.ResultsAsync(batch, "output_file_id"), await gateway.ResultsAsync(batch, "error_file_id"));
        Assert.Equal(["good", "urgent"], answers.Keys.Order());
        var response = answers["good"].GetProperty("response");
        Assert.Equal((200, "chat.completion"), (response.GetProperty("status_code").GetInt32(), Text(response.GetProperty("body"), "object")));
        Assert.Equal("The capital of France is Paris.", Text(response.GetProperty("body").GetProperty("choices")[0].GetProperty("message"), "content"));
        Assert.Equal(JsonValueKind.Null, answers["good"].GetProperty("error").ValueKind);
        Assert.Equal(Text(answers["good"], "id"), Text(response, "request_id"));

        Assert.Equal((400, "temperature"), Failure(errors["wrong"]));
        Assert.Equal((400, "stream"), Failure(errors["stream"]));
        Assert.Equal((404, "model"), Failure(errors["unknown"]));
        Assert.Equal(3, errors.Count);

        var usage = batch.GetProperty("usage");
        var (sent, cached) = (usage.GetProperty("input_tokens").GetInt32(), usage.GetProperty("input_tokens_details").GetProperty("cached_tokens").GetInt32());
        Assert.Equal((74, 10, 74 + 8), (sent, cached, usage.GetProperty("total_tokens").GetInt32()));
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(Priority.Flex, (await worker.RequestAsync()).Priority);
        }

        using var file = await gateway.SendAsync(HttpMethod.Get, $"/v1/files/{Text(batch, "output_file_id")}");
        var output = await file.JsonAsync();
        Assert.Equal(("batch_output", $"{id}_output.jsonl", 3600L), (Text(output, "purpose"), Text(output, "filename"), output.GetProperty("expires_at").GetInt64() - output.GetProperty("created_at").GetInt64()));
        // The input and the two files: nothing of what was kept in between is left.
        await gateway.BatchAsync(id, _ => gateway.StoredFiles().Length == 3);
    }

    [Theory]
    [InlineData("/v1/completions", "prompt", "text_completion")]
    [InlineData("/v1/responses", "input", "response")]
    public async Task Lines_of_other_routes_are_answered_as_those_answer(string route, string field, string kind)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await BatchInputs.StartAsync(worker);
        var lines = new[] { "", ",\"background\":true", ",\"stream\":true" }.Select((extra, i) =>
            BatchInputs.Line($"{i}", $"{{\"model\":\"{Workers.Model}\",\"{field}\":\"Hi\"{extra}}}", route));
        var batch = await gateway.EndedAsync(await gateway.StartBatchAsync(string.Join('\n', lines), endpoint: route));
        var answers = await gateway.ResultsAsync(batch, "output_file_id");
        var body = answers["0"].GetProperty("response").GetProperty("body");
        Assert.Equal(kind, Text(body, "object"));
        Assert.Equal(37 * answers.Count, batch.GetProperty("usage").GetProperty("input_tokens").GetInt32());
        var errors = await gateway.ResultsAsync(batch, "error_file_id");
        Assert.Equal((400, "stream"), Failure(errors["2"]));
        if (kind == "response")
        {
            Assert.Equal((400, "background"), Failure(errors["1"]));
            using var stored = await gateway.SendAsync(HttpMethod.Get, $"{route}/{Text(body, "id")}");
            Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
        }
    }

    [Theory]
    [InlineData("", "empty_file", null)]
    [InlineData("\n \r\n", "empty_file", null)]
    [InlineData("not JSON", "invalid_json_line", 1)]
    [InlineData("[]", "invalid_json_line", 1)]
    [InlineData("\n{\"custom_id\":\"a\",\"custom_id\":\"b\"}", "invalid_json_line", 2)]
    [InlineData("{\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{}}", "missing_required_parameter", 1)]
    [InlineData("{\"custom_id\":\"\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{}}", "missing_required_parameter", 1)]
    [InlineData("{\"custom_id\":7,\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{}}", "invalid_value", 1)]
    [InlineData("{\"custom_id\":\"a\",\"method\":\"GET\",\"url\":\"/v1/chat/completions\",\"body\":{}}", "invalid_method", 1)]
    [InlineData("{\"custom_id\":\"a\",\"url\":\"/v1/chat/completions\",\"body\":{}}", "invalid_method", 1)]
    [InlineData("{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":{}}", "mismatched_url", 1)]
    [InlineData("{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\"}", "missing_required_parameter", 1)]
    [InlineData("{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":[]}", "missing_required_parameter", 1)]
    [InlineData("{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{}}\n{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{}}", "duplicate_custom_id", 2)]
    public async Task A_mistake_in_the_input_fails_the_batch_and_names_the_line(string input, string code, int? line)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await BatchInputs.StartAsync(worker);
        var batch = await gateway.EndedAsync(await gateway.StartBatchAsync(input), "failed");
        var error = batch.GetProperty("errors").GetProperty("data")[0];
        Assert.Equal((code, line), (Text(error, "code"), error.TryGetProperty("line", out var at) ? at.GetInt32() : null));
        Assert.True(batch.GetProperty("failed_at").GetInt64() > 0);
        Assert.False(batch.TryGetProperty("output_file_id", out _));
        Assert.Equal(0, worker.RequestCount);
    }

    [Fact]
    public async Task Too_many_or_too_long_lines_fail_the_batch()
    {
        await using var gateway = await BatchInputs.StartAsync(null, ("Batch:RequestsMax", "2"), ("Gateway:BodyBytesMax", "2000"));
        var many = await gateway.EndedAsync(await gateway.StartBatchAsync(BatchInputs.Lines(3)), "failed");
        Assert.Equal("too_many_requests", Text(many.GetProperty("errors").GetProperty("data")[0], "code"));
        var longer = await gateway.EndedAsync(await gateway.StartBatchAsync(new string('x', 200_000)), "failed");
        Assert.Equal("line_too_long", Text(longer.GetProperty("errors").GetProperty("data")[0], "code"));
    }

    [Theory]
    [InlineData("{}", "input_file_id")]
    [InlineData("{\"input_file_id\":7}", "input_file_id")]
    [InlineData("{\"input_file_id\":null}", "input_file_id")]
    [InlineData("{\"input_file_id\":\"file-x\"}", "endpoint")]
    [InlineData("{\"input_file_id\":\"file-x\",\"endpoint\":\"/v1/moderations\"}", "endpoint")]
    [InlineData("{\"input_file_id\":\"file-x\",\"endpoint\":\"/v1/nothing\"}", "endpoint")]
    [InlineData("{\"input_file_id\":\"file-x\",\"endpoint\":\"/v1/chat/completions\"}", "completion_window")]
    [InlineData("{\"input_file_id\":\"file-x\",\"endpoint\":\"/v1/chat/completions\",\"completion_window\":\"1h\"}", "completion_window")]
    [InlineData("{\"input_file_id\":\"file-x\",\"endpoint\":\"/v1/chat/completions\",\"completion_window\":\"24h\"}", "input_file_id")]
    [InlineData("{\"input_file_id\":\"../x\",\"endpoint\":\"/v1/chat/completions\",\"completion_window\":\"24h\"}", "input_file_id")]
    [InlineData("{\"input_file_id\":\"USER\",\"endpoint\":\"/v1/chat/completions\",\"completion_window\":\"24h\"}", "input_file_id")]
    [InlineData("{\"input_file_id\":\"f\",\"endpoint\":\"/v1/chat/completions\",\"completion_window\":\"24h\",\"metadata\":[]}", "metadata")]
    [InlineData("{\"input_file_id\":\"f\",\"endpoint\":\"/v1/chat/completions\",\"completion_window\":\"24h\",\"output_expires_after\":7}", "output_expires_after")]
    [InlineData("{\"input_file_id\":\"f\",\"endpoint\":\"/v1/chat/completions\",\"completion_window\":\"24h\",\"output_expires_after\":{\"seconds\":3600}}", "output_expires_after.anchor")]
    [InlineData("{\"input_file_id\":\"f\",\"endpoint\":\"/v1/chat/completions\",\"completion_window\":\"24h\",\"output_expires_after\":{\"anchor\":\"created_at\"}}", "output_expires_after.seconds")]
    [InlineData("{\"input_file_id\":\"f\",\"endpoint\":\"/v1/chat/completions\",\"completion_window\":\"24h\",\"output_expires_after\":{\"anchor\":\"created_at\",\"seconds\":99999999999999999999}}", "output_expires_after.seconds")]
    [InlineData("{\"input_file_id\":\"\\ud800\"}", "input_file_id")]
    [InlineData("[]", null)]
    public async Task A_mistake_in_the_request_is_named(string body, string? param)
    {
        await using var gateway = await BatchInputs.StartAsync(null);
        body = body.Replace("USER", await gateway.StoreAsync("x"));
        using var response = await gateway.SendAsync(HttpMethod.Post, "/v1/batches", body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(param, (await response.ErrorAsync()).GetProperty("param").GetString());
    }

    [Fact]
    public async Task A_cancelled_batch_has_what_was_done_and_names_what_was_not()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var (first, cancelled) = (0, new TaskCompletionSource());
        worker.Script = async exchange =>
        {
            if (Interlocked.Increment(ref first) <= 2)
            {
                await exchange.AnswerAsync("done");
                return;
            }

            await exchange.StartAsync();
            await exchange.UntilCancelledAsync();
            cancelled.TrySetResult();
        };
        await using var gateway = await BatchInputs.StartAsync(worker, ("Batch:RequestsAtOnceMax", "1"));
        var id = await gateway.StartBatchAsync(BatchInputs.Lines(5));
        await gateway.BatchAsync(id, batch => batch.Counts().Completed == 2);

        using var response = await gateway.SendAsync(HttpMethod.Post, $"/v1/batches/{id}/cancel");
        Assert.Equal("cancelling", Text(await response.JsonAsync(), "status"));
        var batch = await gateway.EndedAsync(id, "cancelled");
        await cancelled.Task.WaitAsync(TestTime.LimitTime);
        Assert.Equal((5, 2, 0), batch.Counts());
        Assert.True(batch.GetProperty("cancelled_at").GetInt64() >= batch.GetProperty("cancelling_at").GetInt64());
        Assert.Equal(["r1", "r2"], (await gateway.ResultsAsync(batch, "output_file_id")).Keys.Order());
        var errors = await gateway.ResultsAsync(batch, "error_file_id");
        Assert.Equal(["r3", "r4", "r5"], errors.Keys.Order());
        Assert.All(errors.Values, line => Assert.Equal(("batch_cancelled", JsonValueKind.Null), (Text(line.GetProperty("error"), "code"), line.GetProperty("response").ValueKind)));

        using var again = await gateway.SendAsync(HttpMethod.Post, $"/v1/batches/{id}/cancel");
        Assert.Equal("cancelled", Text(await again.JsonAsync(), "status"));
    }

    [Fact]
    public async Task A_batch_that_has_ended_cannot_be_cancelled()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await BatchInputs.StartAsync(worker);
        var id = await gateway.StartBatchAsync(BatchInputs.Lines(1));
        await gateway.EndedAsync(id);
        using var response = await gateway.SendAsync(HttpMethod.Post, $"/v1/batches/{id}/cancel");
        Assert.Equal((HttpStatusCode.Conflict, "batch_not_cancellable"), (response.StatusCode, Text(await response.ErrorAsync(), "code")));
        foreach (var (method, path) in new[] { (HttpMethod.Get, "/v1/batches/batch_x"), (HttpMethod.Post, "/v1/batches/batch_x/cancel"), (HttpMethod.Get, "/v1/batches/a%2Fb") })
        {
            using var unknown = await gateway.SendAsync(method, path);
            Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        }
    }

    [Fact]
    public async Task When_the_window_ends_the_rest_has_expired()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var answered = 0;
        worker.Script = async exchange =>
        {
            await (Interlocked.Increment(ref answered) == 1 ? exchange.AnswerAsync("done") : exchange.UntilCancelledAsync());
        };
        using var storage = new TestStorage();
        await using var gateway = await BatchInputs.StartAsync(worker, storage, ("Batch:RequestsAtOnceMax", "1"));
        var id = await gateway.StartBatchAsync(BatchInputs.Lines(3));
        await gateway.BatchAsync(id, batch => batch.Counts().Completed == 1);

        storage.Time.Shift = TimeSpan.FromHours(24);
        var batch = await gateway.EndedAsync(id, "expired");
        Assert.Equal(["r1"], (await gateway.ResultsAsync(batch, "output_file_id")).Keys);
        var errors = await gateway.ResultsAsync(batch, "error_file_id");
        Assert.Equal(["r2", "r3"], errors.Keys.Order());
        Assert.All(errors.Values, line => Assert.Equal("batch_expired", Text(line.GetProperty("error"), "code")));
        Assert.True(batch.GetProperty("expired_at").GetInt64() > 0);
    }

    [Fact]
    public async Task Lists_the_newest_first()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await BatchInputs.StartAsync(worker);
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            ids.Add(await gateway.StartBatchAsync(BatchInputs.Lines(1)));
        }

        using var page = await gateway.SendAsync(HttpMethod.Get, "/v1/batches?limit=2");
        var list = await page.JsonAsync();
        Assert.Equal([ids[2], ids[1]], list.Ids());
        Assert.True(list.GetProperty("has_more").GetBoolean());
        using var rest = await gateway.SendAsync(HttpMethod.Get, $"/v1/batches?after={ids[1]}");
        Assert.Equal([ids[0]], (await rest.JsonAsync()).Ids());
        using var wrong = await gateway.SendAsync(HttpMethod.Get, "/v1/batches?limit=101");
        Assert.Equal("limit", Text(await wrong.ErrorAsync(), "param"));
    }

    private static (int, string?) Failure(JsonElement line)
    {
        var response = line.GetProperty("response");
        return (response.GetProperty("status_code").GetInt32(), Text(response.GetProperty("body").GetProperty("error"), "param"));
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
