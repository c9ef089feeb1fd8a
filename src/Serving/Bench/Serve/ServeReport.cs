namespace Serving.Cli.Bench.Serve;

/// <summary>What an open-loop load found.</summary>
/// <param name="Load">Where arrivals and lengths come from, in words.</param>
/// <param name="Seconds">From the first request to the end of the last answer.</param>
internal sealed record ServeReport(BenchMachine Machine, LoadTarget Target, string Load, double OfferedRate, ServiceObjective Objective, IReadOnlyList<RequestOutcome> Outcomes, double Seconds)
{
    public IReadOnlyList<RequestOutcome> Complete { get; } = [.. Outcomes.Where(outcome => outcome.IsComplete)];

    /// <summary>How many requests ended in each kind of error; <c>no text</c> where an answer was empty.</summary>
    public IReadOnlyDictionary<string, int> Errors { get; } =
        Outcomes.Where(outcome => !outcome.IsComplete).CountBy(outcome => outcome.Error ?? "no text").OrderByDescending(kind => kind.Value).ToDictionary();

    public IReadOnlyList<double> Ttft => [.. Complete.Select(outcome => outcome.Ttft).Order()];

    public IReadOnlyList<double> Tbt => [.. Complete.SelectMany(outcome => outcome.Gaps).Order()];

    public IReadOnlyList<double> E2e => [.. Complete.Select(outcome => outcome.E2e).Order()];

    /// <summary>Requests per second that met the objective.</summary>
    public double Goodput => Outcomes.Count(outcome => outcome.Meets(Objective)) / Seconds;

    public double AnswerTokensPerSecond => Complete.Sum(outcome => outcome.AnswerTokens) / Seconds;

    public double PromptTokensPerSecond => Complete.Sum(outcome => outcome.PromptTokens) / Seconds;
}
