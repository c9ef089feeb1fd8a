using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Serving.Contracts.Internal;
using Serving.Gateway.Responses;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

/// <summary>Responses that are kept, and those that run in the background.</summary>
public sealed class StoredResponsesTests
{
    private const string Route = "/v1/responses";

    private static readonly InputMatrix _matrix = new(Route, """{"model":"smollm2-135m-instruct","input":"Hi"}""");

    [Fact]
    public async Task A_stored_response_is_shown_gone_on_with_and_deleted()
    {
        await using var worker = await ResponsesTests.CallingWorkerAsync();
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var first = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("instructions", "\"Be brief.\",\"metadata\":{\"a\":\"b\"}"));
        var made = await first.JsonAsync();
        var id = Text(made, "id");
        await worker.RequestAsync();
        using var shown = await gateway.SendAsync(HttpMethod.Get, $"{Route}/{id}");
        Assert.Equal(made.GetRawText(), (await shown.JsonAsync()).GetRawText());

        // The calls of the answer before want their results.
        using var unanswered = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("previous_response_id", $"\"{id}\""));
        Assert.Equal(HttpStatusCode.BadRequest, unanswered.StatusCode);
        worker.Script = exchange => exchange.AnswerAsync("Done.");
        using var second = await gateway.SendAsync(HttpMethod.Post, Route, $$"""
            {"model":"smollm2-135m-instruct","previous_response_id":"{{id}}","instructions":"Now.",
             "input":[{"type":"function_call_output","call_id":"call_1","output":"3"},{"type":"function_call_output","call_id":"call_2","output":"noon"},{"role":"user","content":"And?"}]}
            """);
        var next = await second.JsonAsync();
        Assert.Equal(
            """[{"role":"system","content":"Now."},{"role":"user","content":"Hi"},{"role":"assistant","content":"Well.","reasoning_content":"Let me think.","tool_calls":[{"id":"call_1","type":"function","function":{"name":"add","arguments":"{\"a\": 1}"}},{"id":"call_2","type":"function","function":{"name":"now","arguments":"{}"}}]},{"role":"tool","content":"3","tool_call_id":"call_1"},{"role":"tool","content":"noon","tool_call_id":"call_2"},{"role":"user","content":"And?"}]""",
            (await worker.RequestAsync()).Chat.MessagesJson.ToStringUtf8());
        Assert.Equal(id, Text(next, "previous_response_id"));

        using var list = await gateway.SendAsync(HttpMethod.Get, $"{Route}/{Text(next, "id")}/input_items?order=asc&limit=5");
        var items = await list.JsonAsync();
        Assert.Equal(
            ["message", "reasoning", "message", "function_call", "function_call"], items.GetProperty("data").EnumerateArray().Select(item => Text(item, "type")));
        Assert.True(items.GetProperty("has_more").GetBoolean());
        using var rest = await gateway.SendAsync(HttpMethod.Get, $"{Route}/{Text(next, "id")}/input_items?order=asc&after={Text(items, "last_id")}");
        Assert.Equal(
            ["function_call_output", "function_call_output", "message"], (await rest.JsonAsync()).GetProperty("data").EnumerateArray().Select(item => Text(item, "type")));

        using var deleted = await gateway.SendAsync(HttpMethod.Delete, $"{Route}/{id}");
        Assert.Equal($$"""{"id":"{{id}}","object":"response","deleted":true}""", (await deleted.JsonAsync()).GetRawText());
        foreach (var (method, path) in new[] { (HttpMethod.Get, ""), (HttpMethod.Delete, ""), (HttpMethod.Get, "/input_items"), (HttpMethod.Post, "/cancel") })
        {
            using var gone = await gateway.SendAsync(method, $"{Route}/{id}{path}", method == HttpMethod.Post ? "{}" : null);
            Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        }

        using var lost = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("previous_response_id", $"\"{id}\""));
        Assert.Equal("previous_response_not_found", (await lost.ErrorAsync()).GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("include=message.output_text.logprobs", HttpStatusCode.BadRequest, "include")]
    [InlineData("include[]=reasoning.encrypted_content&include[]=message.output_text.logprobs", HttpStatusCode.BadRequest, "include")]
    [InlineData("stream=true", HttpStatusCode.BadRequest, "stream")]
    [InlineData("include_obfuscation=true", HttpStatusCode.BadRequest, "include_obfuscation")]
    [InlineData("include=reasoning.encrypted_content&stream=false&include_obfuscation=false", HttpStatusCode.OK, null)]
    public async Task What_a_stored_response_cannot_give_is_refused(string query, HttpStatusCode status, string? param)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        using var made = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("store", "true"));

        using var shown = await gateway.SendAsync(HttpMethod.Get, $"{Route}/{Text(await made.JsonAsync(), "id")}?{query}");

        Assert.Equal(status, shown.StatusCode);
        Assert.Equal(param, param is null ? null : Text(await shown.ErrorAsync(), "param"));
    }

    [Fact]
    public async Task What_is_not_to_be_stored_leaves_nothing()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("store", "false"));

        var id = Text(await response.JsonAsync(), "id");
        using var gone = await gateway.SendAsync(HttpMethod.Get, $"{Route}/{id}");
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        Assert.Empty(gateway.StoredFiles());
    }

    [Fact]
    public async Task A_background_response_is_there_at_once_and_done_later()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var go = new TaskCompletionSource();
        worker.Script = async exchange =>
        {
            await go.Task.WaitAsync(TestTime.LimitTime);
            await exchange.AnswerAsync("Done.");
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("background", "true"));
        var queued = await response.JsonAsync();
        using var early = await gateway.SendAsync(HttpMethod.Get, $"{Route}/{Text(queued, "id")}");
        go.SetResult();
        var done = await EndOfAsync(gateway, Text(queued, "id"));

        Assert.Equal(("queued", "queued", "completed"), (Text(queued, "status"), Text(await early.JsonAsync(), "status"), Text(done, "status")));
        Assert.Equal("Done.", Text(done.GetProperty("output")[0].GetProperty("content")[0], "text"));
    }

    [Fact]
    public async Task A_background_response_can_be_cancelled_and_fails_as_its_worker_does()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var begun = new SemaphoreSlim(0);
        var cancelled = new TaskCompletionSource();
        worker.Script = async exchange =>
        {
            begun.Release();
            await exchange.UntilCancelledAsync();
            cancelled.SetResult();
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("background", "true"));
        var id = Text(await response.JsonAsync(), "id");
        await begun.WaitAsync(TestTime.Limit());
        using var ended = await gateway.SendAsync(HttpMethod.Post, $"{Route}/{id}/cancel", "{}");
        Assert.Equal("cancelled", Text(await ended.JsonAsync(), "status"));
        await cancelled.Task.WaitAsync(TestTime.LimitTime);
        Assert.Equal("cancelled", Text(await EndOfAsync(gateway, id), "status"));

        worker.Script = exchange => exchange.RefuseAsync(new RequestError { Fault = Fault.Client, Status = 400, Message = "too long" });
        using var failing = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("background", "true"));
        var failed = await EndOfAsync(gateway, Text(await failing.JsonAsync(), "id"));
        Assert.Equal(("failed", """{"code":"invalid_prompt","message":"too long"}"""), (Text(failed, "status"), failed.GetProperty("error").GetRawText()));

        using var waited = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("background", "true,\"store\":false"));
        Assert.Equal("background", (await waited.ErrorAsync()).GetProperty("param").GetString());
    }

    [Theory]
    [InlineData("POST", "/cancel")]
    [InlineData("DELETE", "")]
    public async Task Work_that_another_gateway_was_told_to_end_ends(string method, string path)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var begun = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        worker.Script = async exchange =>
        {
            begun.SetResult();
            await exchange.UntilCancelledAsync();
            cancelled.SetResult();
        };
        using var storage = new TestStorage();
        await using var first = await BatchInputs.StartAsync(worker, storage);
        await using var second = await BatchInputs.StartAsync(worker, storage);

        using var response = await first.SendAsync(HttpMethod.Post, Route, _matrix.With("background", "true"));
        await begun.Task.WaitAsync(TestTime.LimitTime);
        using var told = await second.SendAsync(new HttpMethod(method), $"{Route}/{Text(await response.JsonAsync(), "id")}{path}");

        Assert.Equal(HttpStatusCode.OK, told.StatusCode);
        await cancelled.Task.WaitAsync(TestTime.LimitTime);
    }

    [Fact]
    public async Task More_background_responses_of_one_key_than_may_run_are_429()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var goOn = new TaskCompletionSource();
        worker.Script = async exchange =>
        {
            await goOn.Task.WaitAsync(TestTime.LimitTime);
            await exchange.AnswerAsync("Done.");
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);
        List<string> running = [];
        while (running.Count < 64)
        {
            using var started = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("background", "true"));
            running.Add(Text(await started.JsonAsync(), "id"));
        }

        using var refused = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("background", "true"));

        Assert.Equal((HttpStatusCode.TooManyRequests, "1"), (refused.StatusCode, refused.Header("Retry-After")));
        var error = await refused.ErrorAsync();
        Assert.Equal(("rate_limit_error", "background", "rate_limit_exceeded"), (Text(error, "type"), Text(error, "param"), Text(error, "code")));
        goOn.SetResult();
        foreach (var id in running)
        {
            Assert.Equal("completed", Text(await EndOfAsync(gateway, id), "status"));
        }
    }

    [Fact]
    public async Task A_background_response_whose_gateway_is_gone_has_failed()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        var id = ResponseId.New(DateTimeOffset.UtcNow);
        using var answered = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("store", "false"));
        var stored = JsonNode.Parse(await answered.Content.ReadAsStringAsync(TestTime.Limit()))!;
        (stored["id"], stored["status"], stored["background"], stored["output"]) = (id.Value, "queued", true, new JsonArray());
        var going = Encoding.UTF8.GetBytes(stored.ToJsonString());
        await gateway.Services.GetRequiredService<StoredResponses>().AddAsync("", id, "queued", going, "[]"u8.ToArray(), TestTime.Limit());

        using var response = await gateway.SendAsync(HttpMethod.Get, $"{Route}/{id.Value}");
        using var again = await gateway.SendAsync(HttpMethod.Post, $"{Route}/{id.Value}/cancel");

        var body = await response.JsonAsync();
        Assert.Equal(("failed", "server_error"), (Text(body, "status"), Text(body.GetProperty("error"), "code")));
        Assert.Equal(body.GetRawText(), (await again.JsonAsync()).GetRawText());
    }

    private static string Text(JsonElement parent, string member) => parent.GetProperty(member).GetString()!;

    private static async Task<JsonElement> EndOfAsync(TestGateway gateway, string id)
    {
        while (true)
        {
            using var response = await gateway.SendAsync(HttpMethod.Get, $"{Route}/{id}");
            var body = await response.JsonAsync();
            if (Text(body, "status") is not ("queued" or "in_progress"))
            {
                return body;
            }

            await Task.Delay(10, TestTime.Limit());
        }
    }
}
