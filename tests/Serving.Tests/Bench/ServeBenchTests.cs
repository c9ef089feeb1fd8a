using System.Net;
using System.Text.Json.Nodes;
using Serving.Cli.Bench;
using Serving.Cli.Bench.Serve;
using Serving.Serving.Tests.Verify;

namespace Serving.Serving.Tests.Bench;

[Collection(nameof(Measurements))]
public sealed class ServeBenchTests
{
    private static readonly LoadTarget _target = new(new Uri("http://127.0.0.1:1"), "m", ApiKey: "key", IgnoreEnd: true, TimeSpan.FromSeconds(5));

    [Theory]
    [InlineData("--rate 0", "--rate 0 is out of range")]
    [InlineData("--requests 0", "--requests 0 is out of range")]
    [InlineData("--slo-ttft 0", "--slo-ttft 0 is out of range")]
    [InlineData("--plot load.svg", "--plot load.svg is not a .png file")]
    [InlineData("--engine", "--engine goes with --streams")]
    [InlineData("--streams 1 --trace t.csv", "--streams is a closed load")]
    public void A_mistake_is_named_with_its_option(string options, string expected)
    {
        var errors = Cli.Commands.ServingCommand.Create().Parse(["bench", "serve", .. options.Split(' ')]).Errors;

        Assert.Contains(expected, Assert.Single(errors).Message);
    }

    [Fact]
    public async Task Reads_a_stream_and_what_the_server_counted()
    {
        var handler = new StubHandler(
            """
            data: {"choices":[{"delta":{"role":"assistant","content":""}}]}

            data: {"choices":[{"delta":{"content":"Once"}}]}

            : a comment
            data: {"choices":[{"delta":{"content":" upon"}}]}

            data: {"choices":[{"delta":{},"finish_reason":"length"}],"usage":null}

            data: {"choices":[],"usage":{"prompt_tokens":31,"completion_tokens":3}}

            data: [DONE]

            """);
        using var client = new LoadClient(_target, handler);

        var outcome = await client.SendAsync("Tell me", 3, CancellationToken.None);

        Assert.True(outcome.IsComplete);
        Assert.Equal((2, 31, 3), (outcome.ChunkTimes.Count, outcome.PromptTokens, outcome.AnswerTokens));
        Assert.True(outcome.Begin <= outcome.ChunkTimes[0] && outcome.ChunkTimes[1] <= outcome.End);
        Assert.Equal("Bearer key", handler.Authorization);
        Assert.Equal(
            """{"model":"m","temperature":0,"max_tokens":3,"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Tell me"}],"ignore_eos":true}""",
            handler.Body);
    }

    [Theory]
    [InlineData(HttpStatusCode.TooManyRequests, "{}", "status 429")]
    [InlineData(HttpStatusCode.OK, "data: {\"choices\":[{\"delta\":{\"content\":\"On\"}}]}\n\n", "broken off")]
    [InlineData(HttpStatusCode.OK, "data: {\"error\":{\"message\":\"gone\"}}\n\n", "error event")]
    [InlineData(HttpStatusCode.OK, "data: {\n\n", "malformed event")]
    public async Task What_goes_wrong_is_named_by_its_kind(HttpStatusCode status, string body, string expected)
    {
        using var client = new LoadClient(_target, new StubHandler(body, status));

        var outcome = await client.SendAsync("Tell me", 3, CancellationToken.None);

        Assert.False(outcome.IsComplete);
        Assert.Equal(expected, outcome.Error);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_counted()
    {
        using var client = new LoadClient(_target);

        Assert.Equal("connection", (await client.SendAsync("Tell me", 3, CancellationToken.None)).Error);
    }

    [Fact]
    public async Task A_load_that_nobody_answers_is_a_failure()
    {
        var url = $"http://127.0.0.1:{Cli.Machine.FreePort.Find()}/";

        var run = await CommandRun.Of("bench", "serve", "--url", url, "--requests", "2", "--rate", "1000", "--model", "m");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("2 connection", run.Output);
        Assert.Contains($"No request was answered (connection). Is a server running at {url}, and does it serve m?", run.Error);
    }

    [Fact]
    public void The_rate_of_streams_is_counted_while_all_of_them_run()
    {
        // From 2, when the second has begun, to 4, when the first has ended: two pieces of one, one of the other, and each is two tokens.
        var first = new RequestOutcome(0, [1, 2, 3, 4], 4, 10, 8, null);
        var second = new RequestOutcome(0, [2, 3.5, 5], 5, 10, 6, null);

        Assert.Equal(3.0, StreamsBenchmark.Rate([first, second]), 1e-9);
        Assert.Equal([1, 1, 1.5], StreamsBenchmark.Gaps([first, second]).Order());
    }

    [Fact]
    public void Streams_that_never_ran_together_have_no_rate()
    {
        var first = new RequestOutcome(0, [1, 2], 2, 10, 2, null);
        var second = new RequestOutcome(0, [3, 4], 4, 10, 2, null);

        Assert.Contains("never ran together", Assert.Throws<BenchException>(() => StreamsBenchmark.Rate([first, second])).Message);
        Assert.Contains("status 503", Assert.Throws<BenchException>(() => StreamsBenchmark.Rate([first, second with { Error = "status 503" }])).Message);
    }

    [Fact]
    public void Json_holds_percentiles_goodput_and_errors()
    {
        RequestOutcome[] outcomes =
        [
            new(0, [0.1, 0.15], 0.2, 10, 2, null),
            new(1, [1.3, 1.35], 1.4, 10, 2, null),
            new(2, [2.1, 2.9], 3.0, 10, 2, null),
            new(3, [], 3.1, 0, 0, "status 429"),
        ];
        var output = new StringWriter();

        ServeReportWriter.WriteJson(
            new ServeReport(new BenchMachine("P", 2, []), _target, "Poisson arrivals", 1, new ServiceObjective(0.2, 0.1), outcomes, Seconds: 4), output);

        var json = JsonNode.Parse(output.ToString())!;
        Assert.Equal("""{"sent":4,"completed":3,"errors":{"status 429":1}}""", json["requests"]!.ToJsonString());
        Assert.Equal(100, (double)json["ttft_ms"]!["p50"]!);
        Assert.Equal(50, (double)json["tbt_ms"]!["p50"]!);
        Assert.Equal(400, (double)json["e2e_ms"]!["p50"]!);
        // The first meets both bounds, the second is late to begin, the third halts.
        Assert.Equal((0.25, 0.25), ((double)json["goodput"]!["requests_per_second"]!, (double)json["goodput"]!["part"]!));
        Assert.Equal(1.5, (double)json["answer_tokens_per_second"]!);
    }

    /// <summary>The whole way on the small model: a platform of its own, its gateway, prefill and decode worker, and the engine beside it.</summary>
    [Fact]
    public async Task Streams_through_a_platform_are_held_against_the_engine()
    {
        var run = await CommandRun.Of(
            "bench", "serve", "--up", "--streams", "2", "--input-tokens", "16", "--output-tokens", "48", "--rounds", "1", "--engine", "--json");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var json = JsonNode.Parse(run.Output)!;
        var figure = Assert.Single(json["streams"]!.AsArray())!;
        Assert.True((double)figure["served"]!["median"]! > 0);
        Assert.True((double)figure["engine"]!["median"]! > 0);
        Assert.Equal((double)figure["ratio"]!, (double)json["ratios"]!["2"]!);
    }

    [Fact]
    public async Task An_open_load_on_a_platform_is_answered()
    {
        using var folder = new TemporaryFolder();
        var run = await CommandRun.Of(
            "bench", "serve", "--up", "--model", "docs-moe", "--rate", "20", "--requests", "10", "--input-tokens", "16", "--output-tokens", "8", "--plot", folder.File("load.png"), "--json");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var json = JsonNode.Parse(run.Output)!;
        Assert.Equal("""{"sent":10,"completed":10,"errors":{}}""", json["requests"]!.ToJsonString());
        Assert.True((double)json["ttft_ms"]!["p50"]! > 0);
        Assert.True(File.Exists(folder.File("load.png")));
    }

    private sealed class StubHandler(string body, HttpStatusCode status = HttpStatusCode.OK) : HttpMessageHandler
    {
        public string? Authorization { get; private set; }

        public string? Body { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Authorization = request.Headers.Authorization?.ToString();
            Body = await request.Content!.ReadAsStringAsync(cancellationToken);
            return new HttpResponseMessage(status) { Content = new StringContent(body) };
        }
    }
}
