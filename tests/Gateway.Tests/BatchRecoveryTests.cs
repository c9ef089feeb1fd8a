using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Serving.Contracts.Internal;
using Serving.Gateway.Batches;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

/// <summary>Batches under which something goes away: a worker, a gateway, Redis, the input.</summary>
public sealed class BatchRecoveryTests
{
    [Fact]
    public async Task A_busy_or_lost_worker_is_asked_again_and_a_deadly_line_is_given_up()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var asked = new ConcurrentDictionary<string, int>();
        worker.Script = exchange =>
        {
            var line = exchange.Request.Chat.MessagesJson.ToStringUtf8();
            var count = asked.AddOrUpdate(line, 1, (_, before) => before + 1);
            if (line.Contains("deadly"))
            {
                exchange.Die();
                return Task.CompletedTask;
            }

            return count < 3 ? exchange.RefuseAsync(new RequestError { Status = 503, Code = "overloaded", Message = "Full." }) : exchange.AnswerAsync("done");
        };
        await using var gateway = await BatchInputs.StartAsync(worker, ("Gateway:WorkerWaitSecondsMax", "0"));
        var id = await gateway.StartBatchAsync($"{BatchInputs.Line("busy")}\n{BatchInputs.Line("deadly", Bodies.Chat().Replace("France", "deadly"))}");
        var batch = await gateway.EndedAsync(id);
        Assert.Equal((2, 1, 1), batch.Counts());
        Assert.Equal([3, 3], asked.Values);
        var response = (await gateway.ResultsAsync(batch, "error_file_id"))["deadly"].GetProperty("response");
        Assert.Equal((503, "worker_lost"), (response.GetProperty("status_code").GetInt32(), Text(response.GetProperty("body").GetProperty("error"), "code")));
    }

    [Fact]
    public async Task A_batch_goes_on_where_a_stopped_gateway_left_it()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var answered = 0;
        worker.Script = async exchange =>
        {
            await (Interlocked.Increment(ref answered) <= 3 ? exchange.AnswerAsync("before") : exchange.UntilCancelledAsync());
        };
        using var storage = new TestStorage();
        string id;
        await using (var first = await BatchInputs.StartAsync(worker, storage, ("Batch:RequestsAtOnceMax", "2")))
        {
            id = await first.StartBatchAsync(BatchInputs.Lines(10));
            await first.BatchAsync(id, batch => batch.Counts().Completed == 3);
        }

        worker.Script = exchange => exchange.AnswerAsync("after");
        await using var second = await BatchInputs.StartAsync(worker, storage);
        var batch = await second.EndedAsync(id);
        Assert.Equal((10, 10, 0), batch.Counts());
        var texts = (await second.ResultsAsync(batch, "output_file_id")).Values
            .Select(line => Text(line.GetProperty("response").GetProperty("body").GetProperty("choices")[0].GetProperty("message"), "content")!);
        Assert.Equal([("after", 7), ("before", 3)], texts.CountBy(text => text).Select(count => (count.Key, count.Value)).Order());
    }

    [Fact]
    public async Task Of_several_gateways_one_runs_a_batch()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        using var storage = new TestStorage();
        await using var first = await BatchInputs.StartAsync(worker, storage);
        await using var second = await BatchInputs.StartAsync(worker, storage);
        var ids = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => (i % 2 == 0 ? first : second).StartBatchAsync(BatchInputs.Lines(25))));
        foreach (var id in ids)
        {
            Assert.Equal((25, 25, 0), (await second.EndedAsync(id)).Counts());
        }

        Assert.Equal(100, worker.RequestCount);
    }

    [Fact]
    public async Task While_redis_is_away_a_batch_waits_and_then_goes_on()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var hold = new TaskCompletionSource();
        worker.Script = async exchange =>
        {
            await hold.Task;
            await exchange.AnswerAsync("done");
        };
        await using var gateway = await BatchInputs.StartAsync(worker);
        var id = await gateway.StartBatchAsync(BatchInputs.Lines(30));
        await worker.RequestAsync();
        gateway.Documents.IsAway = true;
        using (var refused = await gateway.SendAsync(HttpMethod.Get, $"/v1/batches/{id}"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        }

        hold.SetResult();
        await Task.Delay(300);
        gateway.Documents.IsAway = false;
        Assert.Equal((30, 30, 0), (await gateway.EndedAsync(id)).Counts());
    }

    /// <summary>The call fails wherever the batch then stands: in its validation, between results, at its end.</summary>
    [Fact]
    public async Task Whichever_call_to_redis_fails_the_batch_ends_with_each_line_once()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await BatchInputs.StartAsync(worker);
        for (var calls = 0; calls < 30; calls++)
        {
            var file = await gateway.StoreAsync(BatchInputs.Lines(3), "batch");
            using var created = await gateway.SendAsync(
                HttpMethod.Post, "/v1/batches", $$"""{"input_file_id":"{{file}}","endpoint":"/v1/chat/completions","completion_window":"24h"}""");
            gateway.Documents.CallsToFailure = calls;
            var id = Text(await created.JsonAsync(), "id")!;
            while (gateway.Documents.CallsToFailure >= 0)
            {
                await Task.Delay(5);
            }

            var batch = await gateway.EndedAsync(id);
            Assert.Equal((calls, (3, 3, 0)), (calls, batch.Counts()));
            Assert.Equal(["r1", "r2", "r3"], (await gateway.ResultsAsync(batch, "output_file_id")).Keys.Order());
        }
    }

    [Fact]
    public async Task What_a_replaced_owner_still_writes_changes_nothing()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var (answered, hold) = (0, new TaskCompletionSource());
        worker.Script = async exchange =>
        {
            if (Interlocked.Increment(ref answered) > 1)
            {
                await hold.Task;
            }

            await exchange.AnswerAsync("owner");
        };
        await using var gateway = await BatchInputs.StartAsync(worker, ("Batch:RequestsAtOnceMax", "1"));
        var id = await gateway.StartBatchAsync(BatchInputs.Lines(2));
        await gateway.BatchAsync(id, batch => batch.Counts().Completed == 1);

        // Under a later term, so that it is not the name alone that decides.
        var late = new BatchResult(1, IsError: false, Encoding.UTF8.GetBytes("""{"id":"x","custom_id":"r1","response":{"status_code":200,"request_id":"x","body":{"late":true}},"error":null}"""));
        await gateway.Services.GetRequiredService<BatchParts>().WriteAsync("", id, term: 1_000, sequence: 0, [late], CancellationToken.None);
        hold.SetResult();
        var batch = await gateway.EndedAsync(id);
        Assert.Equal((2, 2, 0), batch.Counts());
        var results = await gateway.ResultsAsync(batch, "output_file_id");
        Assert.False(results["r1"].GetProperty("response").GetProperty("body").TryGetProperty("late", out _));
    }

    [Fact]
    public async Task A_batch_whose_input_is_deleted_ends_with_what_it_has()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var answered = 0;
        worker.Script = async exchange => await (Interlocked.Increment(ref answered) == 1 ? exchange.AnswerAsync("done") : exchange.UntilCancelledAsync());
        using var storage = new TestStorage();
        string id;
        await using (var first = await BatchInputs.StartAsync(worker, storage, ("Batch:RequestsAtOnceMax", "1")))
        {
            id = await first.StartBatchAsync(BatchInputs.Lines(3));
            var input = Text(await first.BatchAsync(id, batch => batch.Counts().Completed == 1), "input_file_id");
            (await first.SendAsync(HttpMethod.Delete, $"/v1/files/{input}")).Dispose();
        }

        await using var second = await BatchInputs.StartAsync(worker, storage);
        var batch = await second.EndedAsync(id, "failed");
        Assert.Equal("input_file_missing", Text(batch.GetProperty("errors").GetProperty("data")[0], "code"));
        Assert.Equal(["r1"], (await second.ResultsAsync(batch, "output_file_id")).Keys);
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
