using System.Net;
using Serving.Contracts.Internal;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

public sealed class FailureTests
{
    public static TheoryData<string> DeathsBeforeTheFirstEvent => ["abort", "empty", "cut", "garbage", "status"];

    [Theory]
    [MemberData(nameof(DeathsBeforeTheFirstEvent))]
    public async Task A_worker_lost_before_its_first_event_is_replaced_and_the_client_sees_nothing_of_it(string death)
    {
        await using var dying = await StubWorker.StartAsync("decode-1");
        await using var living = await StubWorker.StartAsync("decode-2");
        dying.Script = exchange => DieAsync(exchange, death);
        await using var gateway = await TestGateway.BeforeAsync(dying, living);

        // The two take turns, so one of two requests meets the dying one first.
        for (var request = 0; request < 2; request++)
        {
            using var response = await gateway.ChatAsync(Bodies.Chat("\"stream\":true"));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("decode-2", response.Header(ServingHeaders.DecodeWorker));
            Assert.EndsWith("data: [DONE]\n\n", await response.Content.ReadAsStringAsync(TestTime.Limit()), StringComparison.Ordinal);
        }

        Assert.Equal((1, 2), (dying.RequestCount, living.RequestCount));
    }

    [Fact]
    public async Task A_worker_that_refuses_connections_is_replaced()
    {
        var gone = await StubWorker.StartAsync("decode-1");
        var registration = gone.Registration();
        await gone.DisposeAsync();
        await using var living = await StubWorker.StartAsync("decode-2");
        await using var gateway = await TestGateway.BeforeAsync(living);
        gateway.Cluster.Add(registration);

        for (var request = 0; request < 2; request++)
        {
            using var response = await gateway.ChatAsync(Bodies.Chat());
            Assert.Equal("decode-2", response.Header(ServingHeaders.DecodeWorker));
        }
    }

    [Fact]
    public async Task The_only_worker_lost_is_waited_for_until_its_successor_registers()
    {
        await using var dying = await StubWorker.StartAsync("decode-1");
        await using var successor = await StubWorker.StartAsync("decode-2");
        await using var gateway = await TestGateway.BeforeAsync(dying);
        dying.Script = exchange =>
        {
            gateway.Cluster.Remove("decode-1");
            exchange.Die();
            return Task.CompletedTask;
        };

        var answer = gateway.ChatAsync(Bodies.Chat());
        await dying.RequestAsync();
        gateway.Cluster.Add(successor.Registration());

        using var response = await answer;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("decode-2", response.Header(ServingHeaders.DecodeWorker));
    }

    [Fact]
    public async Task A_lost_prefill_worker_is_replaced_by_the_decode_worker_itself()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = exchange => exchange.Request.Prefill is null
            ? exchange.AnswerAsync("fine")
            : exchange.RefuseAsync(new RequestError { Fault = Fault.Peer, Status = 503, Message = "The prefill worker is gone." });
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Null(response.Header(ServingHeaders.PrefillWorker));
        Assert.Equal("37", response.Header(ServingHeaders.DecodePromptTokens));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_error_found_by_the_worker_keeps_its_status_and_names_its_field(bool stream)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = exchange => exchange.RefuseAsync(new RequestError
        {
            Fault = Fault.Client,
            Status = 400,
            Message = "The prompt has 3000 tokens; the context has 2048.",
            Param = "messages",
            Code = "context_length_exceeded",
        });
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat(stream ? "\"stream\":true" : ""));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var error = await response.ErrorAsync();
        Assert.Equal("The prompt has 3000 tokens; the context has 2048.", error.GetProperty("message").GetString());
        Assert.Equal("invalid_request_error", error.GetProperty("type").GetString());
        Assert.Equal("messages", error.GetProperty("param").GetString());
        Assert.Equal("context_length_exceeded", error.GetProperty("code").GetString());
        Assert.Equal(1, worker.RequestCount);
    }

    [Fact]
    public async Task A_full_worker_says_when_to_come_back()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = exchange => exchange.RefuseAsync(new RequestError { Fault = Fault.Worker, Status = 429, Message = "The queue is full.", RetryAfterS = 3, RequestsMax = 192 });
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat());

        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(3), response.Headers.RetryAfter!.Delta);
        Assert.Equal(
            ("192", "0", "3s"),
            (response.Header("x-ratelimit-limit-requests"), response.Header("x-ratelimit-remaining-requests"), response.Header("x-ratelimit-reset-requests")));
        Assert.Equal("rate_limit_error", (await response.ErrorAsync()).GetProperty("type").GetString());
    }

    [Theory]
    [InlineData("abort")]
    [InlineData("end")]
    [InlineData("garbage")]
    [InlineData("error")]
    public async Task A_stream_that_fails_ends_in_an_error_event_and_an_aborted_connection(string death)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        using var seen = new SemaphoreSlim(0);
        worker.Script = exchange => DieMidwayAsync(exchange, death, seen);
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat("\"stream\":true"), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var lines = new List<string>();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestTime.Limit()));
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (await reader.ReadLineAsync(TestTime.Limit()) is { } line)
            {
                lines.Add(line);
                if (line.Contains("The capital", StringComparison.Ordinal))
                {
                    seen.Release();
                }
            }
        });

        var events = lines.Where(line => line.Length > 0).ToArray();
        Assert.Contains("The capital", events[^2], StringComparison.Ordinal);
        Assert.StartsWith("data: {\"error\":{\"message\":\"", events[^1], StringComparison.Ordinal);
        Assert.DoesNotContain("data: [DONE]", events);
    }

    [Theory]
    [InlineData("end", HttpStatusCode.BadGateway)]
    [InlineData("garbage", HttpStatusCode.BadGateway)]
    [InlineData("error", HttpStatusCode.ServiceUnavailable)]
    public async Task An_answer_that_fails_midway_is_an_error_and_no_part_of_it_is_shown(string death, HttpStatusCode status)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = exchange => DieMidwayAsync(exchange, death);
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat());

        Assert.Equal(status, response.StatusCode);
        Assert.Equal("server_error", (await response.ErrorAsync()).GetProperty("type").GetString());
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_client_that_hangs_up_cancels_the_work_at_once(bool stream, bool started)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var cancelled = new TaskCompletionSource();
        worker.Script = async exchange =>
        {
            if (started)
            {
                await exchange.StartAsync();
                await exchange.TokenAsync("The");
            }

            await exchange.UntilCancelledAsync();
            cancelled.SetResult();
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using (var client = new HttpClient { BaseAddress = gateway.Address })
        using (var hangUp = new CancellationTokenSource())
        {
            var answer = client.PostAsync("/v1/chat/completions", new StringContent(Bodies.Chat(stream ? "\"stream\":true" : ""), null, "application/json"), hangUp.Token);
            await worker.RequestAsync();
            await hangUp.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        }

        await cancelled.Task.WaitAsync(TestTime.Limit());
    }

    [Fact]
    public async Task A_worker_that_is_silent_for_longer_than_the_limit_ends_in_504_where_the_operator_set_one()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = exchange => exchange.UntilCancelledAsync();
        var cluster = new FakeClusterView();
        cluster.Add(worker.Registration());
        await using var gateway = await TestGateway.StartAsync(cluster, ("Gateway:SilenceSecondsMax", "0.2"));

        using var response = await gateway.ChatAsync(Bodies.Chat());

        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
        Assert.Equal("worker_silent", (await response.ErrorAsync()).GetProperty("code").GetString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_longer_than_any_time_out_of_the_libraries_arrives(bool stream)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await Task.Delay(TimeSpan.FromSeconds(0.7), exchange.Cancelled);
            await exchange.AnswerAsync("late");
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat(stream ? "\"stream\":true" : ""));

        Assert.Contains("late", await response.Content.ReadAsStringAsync(TestTime.Limit()), StringComparison.Ordinal);
        Assert.Equal(Timeout.InfiniteTimeSpan, Forwarding.CompletionForwarder.ActivityTimeout(new Configuration.GatewayOptions()));
    }

    private static async Task DieAsync(StubExchange exchange, string death)
    {
        switch (death)
        {
            case "abort":
                exchange.Die();
                break;
            case "cut":
                await exchange.BytesAsync(40, 10, 2);
                break;
            case "garbage":
                await exchange.BytesAsync(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF);
                break;
            case "status":
                await exchange.StatusAsync(401);
                break;
            default:
                break;
        }
    }

    /// <param name="seen">Waited for before the death: a reset overtakes what was sent before it.</param>
    private static async Task DieMidwayAsync(StubExchange exchange, string death, SemaphoreSlim? seen = null)
    {
        await exchange.StartAsync();
        await exchange.TokenAsync("The capital");
        if (seen is not null)
        {
            await seen.WaitAsync(TestTime.Limit());
        }

        switch (death)
        {
            case "abort":
                exchange.Die();
                break;
            case "garbage":
                await exchange.BytesAsync(3, 0xFF, 0xFF, 0xFF);
                break;
            case "error":
                await exchange.ErrorEventAsync(new RequestError { Fault = Fault.Worker, Status = 503, Message = "The pool is gone." });
                break;
            default:
                break;
        }
    }
}
