namespace Serving.Cli.Verify.Models;

/// <param name="Positions">Positions whose logits were compared.</param>
/// <param name="LargestError">The largest difference of a logit from the reference's.</param>
/// <param name="Matched">Greedy tokens that are the reference's.</param>
/// <param name="IsEncodedAsRecorded">Whether the tokenizer makes of the text what the reference's did.</param>
/// <param name="Distance">From this program's own fp32 path, where another path ran.</param>
internal sealed record CaseReport(string Name, int Positions, float LargestError, int Matched, int Greedy, bool IsEncodedAsRecorded, Distance? Distance);

/// <param name="LargestError">The largest difference of a recorded log-probability from the fp32 path's.</param>
/// <param name="IsRight">Whether the fp32 path is as near to the record as its precision allows.</param>
/// <param name="Distance">Of the path that ran from the fp32 path, where it is another.</param>
internal sealed record TextReport(
    string Name, int Positions, double LargestError, double Nll, bool IsRight, double PeerMeanKl, double PeerTop1Agreement, Distance? Distance);

/// <summary>How near a model's answers are to a reference's.</summary>
internal sealed class ModelReport
{
    // How much farther from fp32 than llama.cpp the fast path may be.
    private const double KlFactorAllowed = 1.05;
    private const double Top1LossAllowed = 0.01;

    // Without a peer's figure: farther than this something is broken, whatever the format.
    private const double KlAllowedWithoutPeer = 0.05;

    public required string Path { get; init; }

    public required string Architecture { get; init; }

    public required string ComputePath { get; init; }

    /// <summary>Whether the fp32 path itself was verified.</summary>
    public required bool IsReference { get; init; }

    public required float ErrorAllowed { get; init; }

    public required double? PeerLargestError { get; init; }

    public required IReadOnlyList<CaseReport> Cases { get; init; }

    public required IReadOnlyList<TextReport> Texts { get; init; }

    public required int TokenRows { get; init; }

    public required int TokenRowsMatched { get; init; }

    public float LargestError => Cases.Select(one => one.LargestError).DefaultIfEmpty().Max();

    public int Matched => Cases.Sum(one => one.Matched);

    public int Greedy => Cases.Sum(one => one.Greedy);

    /// <summary>Of the texts where there are any, else of the cases; null for the fp32 path.</summary>
    public Distance? Distance
    {
        get
        {
            var parts = Texts.Count > 0 ? Texts.Select(text => text.Distance) : Cases.Select(one => one.Distance);
            var total = new Distance();
            foreach (var part in parts.OfType<Distance>())
            {
                total.Add(part);
            }

            return IsReference ? null : total;
        }
    }

    /// <summary>What llama.cpp's distance allows: mean divergence at most, agreement at least; null where none is recorded.</summary>
    public (double MeanKl, double Top1Agreement)? Allowed
    {
        get
        {
            double positions = Texts.Sum(text => text.Positions);
            return Texts.Count == 0
                ? null
                : (KlFactorAllowed * Texts.Sum(text => text.PeerMeanKl * text.Positions) / positions,
                    (Texts.Sum(text => text.PeerTop1Agreement * text.Positions) / positions) - Top1LossAllowed);
        }
    }

    /// <summary>What is wrong, a sentence each; empty: the model passed.</summary>
    public IReadOnlyList<string> Failures
    {
        get
        {
            var failures = new List<string>();
            AddIf(TokenRowsMatched < TokenRows, $"{TokenRows - TokenRowsMatched} of {TokenRows} texts became other tokens.");
            AddIf(Cases.Any(one => !one.IsEncodedAsRecorded), "A case's text became other tokens than recorded.");
            AddIf(Texts.Any(text => !text.IsRight), "The fp32 path's log-probabilities of a text are not the recorded ones.");
            if (IsReference)
            {
                AddIf(!(LargestError <= ErrorAllowed), $"A logit is off by {LargestError:G3}; {ErrorAllowed:G3} is allowed.");
                AddIf(Matched < Greedy, $"{Greedy - Matched} of {Greedy} greedy tokens are others than recorded.");
            }
            else if (Distance is { } distance)
            {
                var (kl, top1) = Allowed ?? (KlAllowedWithoutPeer, 0);
                AddIf(!(distance.MeanKl <= kl), $"The mean KL from fp32 is {distance.MeanKl:G3}; {kl:G3} is allowed.");
                AddIf(!(distance.Top1Agreement >= top1), $"The first choice is fp32's in {distance.Top1Agreement:P1}; {top1:P1} is asked for.");
            }

            return failures;

            void AddIf(bool isWrong, string failure)
            {
                if (isWrong)
                {
                    failures.Add(failure);
                }
            }
        }
    }
}
