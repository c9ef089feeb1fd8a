using Serving.Cli.Bench;
using Serving.Cli.Bench.Serve;
using Serving.TestKit;

namespace Serving.Serving.Tests.Bench;

public sealed class LoadPlanTests
{
    [Fact]
    public void Reads_azures_trace()
    {
        var trace = RequestTrace.Read(Path.Combine(Repository.Root, "bench", "traces", "azure-conversation.csv"));

        Assert.Equal(2000, trace.Count);
        Assert.Equal(new TraceRequest(0, 374, 44), trace[0]);
        Assert.Equal((396, 109), (trace[1].InputTokens, trace[1].OutputTokens));
        Assert.Equal(4.314579, trace[1].ArrivalSeconds, 1e-5);
    }

    [Fact]
    public void Reads_mooncakes_trace_by_arrival()
    {
        var trace = RequestTrace.Read(
            new StringReader("""
            {"timestamp": 3500, "input_length": 7, "output_length": 5, "hash_ids": [1, 2]}
            {"timestamp": 1000, "input_length": 6, "output_length": 4}

            """),
            "m.jsonl");

        Assert.Equal([new TraceRequest(0, 6, 4), new TraceRequest(2.5, 7, 5)], trace);
    }

    [Theory]
    [InlineData("", "m holds no request")]
    [InlineData("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1", "m, line 2 is no request")]
    [InlineData("TIMESTAMP,ContextTokens,GeneratedTokens\nyesterday,1,1", "m, line 2 is no request")]
    [InlineData("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,-1,1", "m, line 2 is no request")]
    [InlineData("""{"timestamp": 0, "input_length": 7, "output_length": 5}""" + "\n[]", "m, line 2 is no request")]
    [InlineData("""{"timestamp": 0, "input_length": "x", "output_length": 5}""", "m, line 1 is no request")]
    [InlineData("hello", "m, line 1 is no request")]
    public void A_line_that_is_no_request_is_named(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<BenchException>(() => RequestTrace.Read(new StringReader(text), "m")).Message);

    [Fact]
    public void A_trace_is_stretched_to_a_rate_and_repeated()
    {
        TraceRequest[] trace = [new(0, 100, 10), new(1, 300, 30), new(2, 200, 20)];

        var plan = LoadPlan.OfTrace(trace, new LoadLimits(7, null), rate: 10, inputTokens: 20, outputTokens: 40);

        // A pass is three requests in three seconds: at ten a second one every 0.1 s, also from one pass to the next.
        Assert.Equal([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6], plan.Select(request => Math.Round(request.ArrivalSeconds, 9)));
        Assert.Equal([10, 30, 20, 10, 30, 20, 10], plan.Select(request => request.InputTokens));
        Assert.Equal([20, 60, 40, 20, 60, 40, 20], plan.Select(request => request.OutputTokens));
    }

    [Fact]
    public void A_trace_is_taken_as_it_is_until_the_time_is_over()
    {
        TraceRequest[] trace = [new(0, 100, 10), new(1, 300, 30), new(2, 200, 20)];

        Assert.Equal(trace, LoadPlan.OfTrace(trace, new LoadLimits(null, 2.5), null, null, null));
    }

    [Fact]
    public void A_trace_without_time_needs_a_number_of_requests()
    {
        TraceRequest[] trace = [new(0, 1, 1), new(0, 2, 2)];

        Assert.Contains("--requests", Assert.Throws<BenchException>(() => LoadPlan.OfTrace(trace, new LoadLimits(null, 9), 1, null, null)).Message);
        Assert.Equal(3, LoadPlan.OfTrace(trace, new LoadLimits(3, null), null, null, null).Count);
    }

    [Fact]
    public void Poisson_arrivals_have_their_rate_and_exponential_gaps()
    {
        var plan = LoadPlan.Poisson(new LoadLimits(20_000, null), rate: 4, inputTokens: 100, outputTokens: 60, seed: 3);

        double[] gaps = [.. plan.Zip(plan.Skip(1), (a, b) => b.ArrivalSeconds - a.ArrivalSeconds)];
        var mean = gaps.Average();
        Assert.Equal(0.25, mean, 0.01);
        Assert.Equal(mean, Math.Sqrt(gaps.Average(gap => (gap - mean) * (gap - mean))), 0.01);
        Assert.All(plan, request => Assert.InRange(request.InputTokens, 50, 150));
        Assert.Equal(60, plan.Average(request => request.OutputTokens), 1.0);
        Assert.Equal(plan, LoadPlan.Poisson(new LoadLimits(20_000, null), 4, 100, 60, 3));
    }
}
