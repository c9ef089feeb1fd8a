namespace Serving.Cli.Bench.Serve;

/// <summary>How a request went. Times are seconds on one clock.</summary>
/// <param name="Begin">When it was sent.</param>
/// <param name="ChunkTimes">When each piece of text came, ascending.</param>
/// <param name="End">When the answer was over.</param>
/// <param name="PromptTokens">As the server counted them.</param>
/// <param name="AnswerTokens">As the server counted them.</param>
/// <param name="Error">Which kind of error ended it; null: none.</param>
internal sealed record RequestOutcome(double Begin, IReadOnlyList<double> ChunkTimes, double End, int PromptTokens, int AnswerTokens, string? Error)
{
    /// <summary>Whether it came to its end and said anything.</summary>
    public bool IsComplete => Error is null && ChunkTimes.Count > 0;

    /// <summary>Seconds to the first token.</summary>
    public double Ttft => ChunkTimes[0] - Begin;

    /// <summary>Seconds from the request to the end of the answer.</summary>
    public double E2e => End - Begin;

    /// <summary>Seconds between one piece of text and the next.</summary>
    public IEnumerable<double> Gaps => ChunkTimes.Zip(ChunkTimes.Skip(1), (a, b) => b - a);

    /// <summary>Whether it kept its promise: the first token in time, and all gaps but the longest hundredth too.</summary>
    public bool Meets(ServiceObjective objective) =>
        IsComplete && Ttft <= objective.TtftSeconds && (ChunkTimes.Count == 1 || Statistics.Percentile([.. Gaps.Order()], 99) <= objective.TbtSeconds);
}

/// <summary>What a client is promised (SLO).</summary>
/// <param name="TtftSeconds">Longest time to the first token.</param>
/// <param name="TbtSeconds">Longest time between two tokens, at the answer's own 99th percentile.</param>
internal sealed record ServiceObjective(double TtftSeconds, double TbtSeconds);
