namespace Serving.Cli.Bench.Serve;

/// <summary>The requests of an open-loop load: they come when they come, whether or not the server keeps up.</summary>
internal static class LoadPlan
{
    /// <summary>Arrivals and lengths of a trace from its beginning, repeated where it is too short, scaled to a rate and to mean lengths.</summary>
    /// <param name="rate">Requests per second, on the mean; null: as recorded.</param>
    /// <param name="inputTokens">Mean length of a prompt; null: as recorded.</param>
    /// <param name="outputTokens">Most tokens of an answer, on the mean; null: as recorded.</param>
    /// <exception cref="BenchException">All arrivals are at once and no rate is given.</exception>
    public static IReadOnlyList<TraceRequest> OfTrace(IReadOnlyList<TraceRequest> trace, LoadLimits limits, double? rate, int? inputTokens, int? outputTokens)
    {
        // A pass takes a mean gap longer than from its first to its last request: the next one's first is as far from the last as others are.
        var pass = trace[^1].ArrivalSeconds * trace.Count / Math.Max(1, trace.Count - 1);
        if (pass == 0 && limits.Requests is null)
        {
            throw new BenchException("The trace's requests come all at once, so a duration says nothing: give --requests.");
        }

        var timeScale = rate is { } wanted && pass > 0 ? trace.Count / pass / wanted : 1;
        var inputScale = inputTokens / trace.Average(request => request.InputTokens) ?? 1;
        var outputScale = outputTokens / trace.Average(request => request.OutputTokens) ?? 1;
        return limits.Take(Enumerable.Range(0, int.MaxValue).Select(i =>
        {
            var request = trace[i % trace.Count];
            var arrival = (request.ArrivalSeconds + (pass * (i / trace.Count))) * timeScale;
            return new TraceRequest(arrival, Scale(request.InputTokens, inputScale), Scale(request.OutputTokens, outputScale));
        }));
    }

    /// <summary>Arrivals of a Poisson process; lengths evenly between a half and one and a half of their means.</summary>
    /// <param name="rate">Requests per second, on the mean.</param>
    public static IReadOnlyList<TraceRequest> Poisson(LoadLimits limits, double rate, int inputTokens, int outputTokens, int seed)
    {
        return limits.Take(Endless());

        IEnumerable<TraceRequest> Endless()
        {
            // Not for secrets: the same load in every run is what is wanted.
#pragma warning disable CA5394
            var random = new Random(seed);
            for (var arrival = 0.0; ; arrival -= Math.Log(1 - random.NextDouble()) / rate)
            {
                yield return new TraceRequest(arrival, Scale(inputTokens, 0.5 + random.NextDouble()), Scale(outputTokens, 0.5 + random.NextDouble()));
            }
#pragma warning restore CA5394
        }
    }

    private static int Scale(int tokens, double scale) => Math.Max(1, (int)Math.Round(tokens * scale));
}

/// <summary>Where a load ends: after so many requests, after so many seconds of arrivals, or whichever comes first.</summary>
internal sealed record LoadLimits(int? Requests, double? Seconds)
{
    public IReadOnlyList<TraceRequest> Take(IEnumerable<TraceRequest> requests) =>
        [.. requests.Take(Requests ?? int.MaxValue).TakeWhile(request => request.ArrivalSeconds <= (Seconds ?? double.PositiveInfinity))];
}
