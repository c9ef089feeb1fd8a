namespace Serving.Engine.Sampling;

/// <summary>
/// Top-k, typical-p and top-p over the candidates that are there. Each keeps the beginning of an order, ties by the lower id, and finds the
/// place of the cut by selection.
/// </summary>
internal sealed class CandidateFilters
{
    private readonly RankSelection _selection = new();

    public RankSelection Selection => _selection;

    /// <summary>The <paramref name="count"/> likeliest.</summary>
    public void TopK(Candidates candidates, int count)
    {
        if (count < candidates.Count)
        {
            RankByWeight(candidates);
            candidates.Keep(_selection.FindCount(candidates.Keys, count));
        }
    }

    /// <summary>The fewest likeliest whose weights reach <paramref name="mass"/>.</summary>
    public void TopP(Candidates candidates, double mass)
    {
        RankByWeight(candidates);
        candidates.Keep(_selection.FindMass(candidates.Keys, candidates.Weights, mass));
    }

    /// <summary>
    /// The fewest that reach the share <paramref name="typicalP"/> of the candidates' mass, in the order of the distance of −log p from the
    /// entropy. Both have the logarithm of the whole mass in them, which cancels: what is left is the distance of log w from its mean.
    /// </summary>
    public void TypicalP(Candidates candidates, float typicalP)
    {
        var total = 0.0;
        var mean = 0.0;
        for (var i = 0; i < candidates.Count; i++)
        {
            total += candidates.Weights[i];
            mean += (double)candidates.Weights[i] * candidates.Logs[i];
        }

        mean /= total;
        for (var i = 0; i < candidates.Count; i++)
        {
            candidates.Keys[i] = RankKey.Ascending((float)Math.Abs(candidates.Logs[i] - mean));
        }

        candidates.Keep(_selection.FindMass(candidates.Keys, candidates.Weights, total * typicalP));
    }

    private static void RankByWeight(Candidates candidates)
    {
        for (var i = 0; i < candidates.Count; i++)
        {
            candidates.Keys[i] = RankKey.Descending(candidates.Weights[i]);
        }
    }
}
