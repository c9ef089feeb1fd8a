using System.Net;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

public sealed class ReadinessTests
{
    private static readonly (string, string) _warmUp = ("Gateway:WarmUpRoundsMax", "4");

    [Fact]
    public async Task Health_says_that_the_process_lives()
    {
        await using var gateway = await TestGateway.StartAsync(new FakeClusterView());

        using var response = await gateway.SendAsync(HttpMethod.Get, "/health");

        Assert.Equal("{\"status\":\"ok\"}", await response.Content.ReadAsStringAsync(TestTime.Limit()));
    }

    [Fact]
    public async Task Not_ready_says_what_is_missing_until_both_phases_have_a_worker_and_are_warm()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var warmUpSeen = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        worker.Script = async exchange =>
        {
            warmUpSeen.TrySetResult();
            await goOn.Task;
            await exchange.AnswerAsync("warm");
        };
        var cluster = new FakeClusterView();
        await using var gateway = await TestGateway.StartAsync(cluster, _warmUp);
        Assert.Equal(["no worker has registered a model yet"], await MissingAsync(gateway));

        cluster.Add(worker.Registration());
        Assert.Equal([$"{Workers.Model}: no prefill worker is ready", $"{Workers.Model}: the warm-up has not passed yet"], await MissingAsync(gateway));

        cluster.Add(Workers.Prefill("prefill-1"));
        await warmUpSeen.Task.WaitAsync(TestTime.Limit());
        Assert.Equal([$"{Workers.Model}: the warm-up has not passed yet"], await MissingAsync(gateway));

        goOn.SetResult();
        await UntilReadyAsync(gateway);
        Assert.InRange(worker.RequestCount, 9, 12);
    }

    [Fact]
    public async Task Not_ready_once_the_workers_of_a_phase_have_gone_and_ready_again_without_another_warm_up_of_the_model()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var cluster = new FakeClusterView();
        cluster.Add(worker.Registration(), Workers.Prefill("prefill-1"));
        await using var gateway = await TestGateway.StartAsync(cluster, _warmUp);
        await UntilReadyAsync(gateway);

        cluster.Remove("decode-1");
        Assert.Equal([$"{Workers.Model}: no decode worker is ready"], await MissingAsync(gateway));

        cluster.Add(Workers.Decode("decode-2", worker.Address));
        Assert.Empty(await MissingAsync(gateway));
    }

    [Fact]
    public async Task Workers_with_different_kv_fingerprints_make_no_pair()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var cluster = new FakeClusterView();
        cluster.Add(worker.Registration(), Workers.Prefill("prefill-1", Workers.Served(fingerprint: "other")));
        await using var gateway = await TestGateway.StartAsync(cluster, _warmUp);

        Assert.Contains($"{Workers.Model}: the prefill and the decode workers have different KV fingerprints", await MissingAsync(gateway));
    }

    [Fact]
    public async Task Warm_up_passes_the_key_check_and_goes_to_the_new_pair_alone()
    {
        var keyFile = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(keyFile, "sk-first-key-0123456", TestTime.Limit());
            await using var first = await StubWorker.StartAsync("decode-1");
            await using var second = await StubWorker.StartAsync("decode-2");
            var cluster = new FakeClusterView();
            cluster.Add(first.Registration(), Workers.Prefill("prefill-1"));
            await using var gateway = await TestGateway.StartAsync(cluster, _warmUp, ("Gateway:ApiKeyFile", keyFile));
            await UntilReadyAsync(gateway);
            var requestsBefore = first.RequestCount;

            cluster.Add(second.Registration());
            var request = await second.RequestAsync();

            Assert.Equal("prefill-1", request.Prefill.WorkerId);
            Assert.Empty(await MissingAsync(gateway));
            Assert.Equal(requestsBefore, first.RequestCount);
        }
        finally
        {
            File.Delete(keyFile);
        }
    }

    [Fact]
    public async Task A_warm_up_that_fails_is_tried_again()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = exchange => worker.RequestCount == 1
            ? exchange.RefuseAsync(new RequestError { Fault = Fault.Worker, Status = 500, Message = "not yet" })
            : exchange.AnswerAsync("warm");
        var cluster = new FakeClusterView();
        cluster.Add(worker.Registration(), Workers.Prefill("prefill-1"));
        await using var gateway = await TestGateway.StartAsync(cluster, _warmUp);

        await UntilReadyAsync(gateway);
    }

    [Fact]
    public async Task Models_are_listed_as_openai_does()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var list = await gateway.SendAsync(HttpMethod.Get, "/v1/models");
        using var one = await gateway.SendAsync(HttpMethod.Get, $"/v1/models/{Workers.Model}");
        using var none = await gateway.SendAsync(HttpMethod.Get, "/v1/models/other/model");

        Assert.Equal(
            """{"object":"list","data":[{"object":"model","id":"smollm2-135m-instruct","created":1700000000,"owned_by":"HuggingFaceTB"}]}""",
            Sorted(await list.JsonAsync()));
        Assert.Equal(Workers.Model, (await one.JsonAsync()).GetProperty("id").GetString());
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        Assert.Equal("model_not_found", (await none.ErrorAsync()).GetProperty("code").GetString());
    }

    [Fact]
    public async Task Requests_for_a_model_whose_workers_have_gone_are_told_to_come_back()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var cluster = new FakeClusterView();
        await using var gateway = await TestGateway.StartAsync(cluster, ("Gateway:WorkerWaitSecondsMax", "0.05"));
        using var before = await gateway.ChatAsync(Bodies.Chat());
        cluster.Add(worker.Registration());
        cluster.Remove("decode-1");

        using var response = await gateway.ChatAsync(Bodies.Chat());

        Assert.Equal(HttpStatusCode.ServiceUnavailable, before.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Equal("service_unavailable", (await response.ErrorAsync()).GetProperty("code").GetString());
    }

    private static async Task<string[]> MissingAsync(TestGateway gateway)
    {
        using var response = await gateway.SendAsync(HttpMethod.Get, "/ready");
        var report = await response.JsonAsync();
        string[] missing = [.. report.GetProperty("missing").EnumerateArray().Select(line => line.GetString()!)];
        Assert.Equal(missing.Length == 0 ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(missing.Length == 0 ? "ready" : "not_ready", report.GetProperty("status").GetString());
        return missing;
    }

    private static async Task UntilReadyAsync(TestGateway gateway)
    {
        while ((await MissingAsync(gateway)).Length > 0)
        {
            await Task.Delay(10, TestTime.Limit());
        }
    }

    private static string Sorted(JsonElement list)
    {
        var model = list.GetProperty("data")[0];
        return $$"""{"object":{{list.GetProperty("object").GetRawText()}},"data":[{"object":{{model.GetProperty("object").GetRawText()}},"id":{{model.GetProperty("id").GetRawText()}},"created":{{model.GetProperty("created").GetRawText()}},"owned_by":{{model.GetProperty("owned_by").GetRawText()}}}]}""";
    }
}
