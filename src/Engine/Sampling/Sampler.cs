namespace Serving.Engine.Sampling;

/// <summary>
/// Chooses a token from one row of logits, by the transforms that <see cref="SamplingParameters"/> lists. The choice depends on its
/// <see cref="SamplingInput"/> only, never on what else is in the batch, and is the same on every processor. Nothing is sorted: what is
/// looked at closely is only what can be chosen. Owns its scratch and allocates nothing; one thread uses it.
/// </summary>
/// <param name="vocabularySize">Width of a row of logits.</param>
public sealed class Sampler(int vocabularySize)
{
    // Bounds that only spare work are taken a little lower, so that no rounding makes them exclude what the exact test would keep.
    private const float LogMargin = 0.01f;
    private const float LogitMargin = 1e-6f;

    private readonly LogitAdjustments _adjustments = new(vocabularySize);
    private readonly LogitBlocks _blocks = new(vocabularySize);
    private readonly Candidates _candidates = new(vocabularySize);
    private readonly CandidateFilters _filters = new();

    /// <summary>Chooses the token at the position <c>input.Tokens.Length</c>.</summary>
    /// <returns>False when the row holds NaN or +∞ or no finite number: the model's output is broken and nothing can be chosen.</returns>
    public bool TrySample(in SamplingInput input, out int tokenId)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(input.Logits.Length, vocabularySize);
        tokenId = -1;
        var logits = _adjustments.Apply(input);
        _blocks.Scan(logits);
        if (!float.IsFinite(_blocks.Largest))
        {
            return false;
        }

        tokenId = input.Parameters.IsGreedy
            ? _blocks.FirstLargest(logits)
            : Draw(logits, input.Parameters, Philox.Uniform(input.Parameters.Seed, input.Parameters.Choice, input.Tokens.Length));
        return true;
    }

    /// <summary>
    /// The model's log probability of a token (the logarithm of the softmax of the row, before every transform), and the likeliest tokens in
    /// its place.
    /// </summary>
    /// <param name="logits">A row of finite numbers and −∞, as the model gave it.</param>
    /// <param name="top">Filled with the likeliest tokens, descending, the lower id first among equals. Not longer than the vocabulary.</param>
    public float Logprob(ReadOnlySpan<float> logits, int tokenId, Span<TokenLogprob> top)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(logits.Length, vocabularySize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(top.Length, vocabularySize);
        _blocks.Scan(logits);
        var logOfSum = _blocks.Largest + (float)Math.Log(_blocks.Weigh(logits, inverseTemperature: 1));
        if (top.Length > 0)
        {
            _candidates.Gather(logits, _blocks, _blocks.FloorOfLargest(top.Length, _filters.Selection));
            Largest(_candidates, top);
            foreach (ref var token in top)
            {
                token = token with { Logprob = token.Logprob - logOfSum };
            }
        }

        return logits[tokenId] - logOfSum;
    }

    private int Draw(ReadOnlySpan<float> logits, SamplingParameters parameters, double uniform)
    {
        var inverseTemperature = 1 / parameters.Temperature;
        if (parameters.TopK == 0 && parameters.MinP == 0 && parameters.TypicalP == 1)
        {
            var total = _blocks.Weigh(logits, inverseTemperature);
            if (parameters.TopP == 1)
            {
                return _blocks.Draw(logits, inverseTemperature, total, uniform);
            }

            // What lies below an equal share of the mass that may be cut off is cut off, all of it.
            Gather(logits, parameters, MathF.Log((float)((1 - parameters.TopP) * total / vocabularySize)), float.NegativeInfinity);
            _filters.TopP(_candidates, total * parameters.TopP);
        }
        else
        {
            Filter(logits, parameters);
        }

        return _candidates.Ids[WeightedDraw.Pick(_candidates.Weights, uniform * TokenWeight.Sum(_candidates.Weights))];
    }

    private void Filter(ReadOnlySpan<float> logits, SamplingParameters parameters)
    {
        var isTopK = parameters.TopK > 0 && parameters.TopK < vocabularySize;
        Gather(
            logits, parameters, MathF.Log(parameters.MinP),
            isTopK ? _blocks.FloorOfLargest(parameters.TopK, _filters.Selection) : float.NegativeInfinity);
        if (isTopK)
        {
            _filters.TopK(_candidates, parameters.TopK);
        }

        if (parameters.TypicalP < 1)
        {
            _filters.TypicalP(_candidates, parameters.TypicalP);
        }

        if (parameters.TopP < 1)
        {
            _filters.TopP(_candidates, TokenWeight.Sum(_candidates.Weights) * parameters.TopP);
        }
    }

    /// <param name="logWeightMin">Tokens whose weight has a lower logarithm may be passed over.</param>
    /// <param name="logitMin">And those with a lower logit.</param>
    private void Gather(ReadOnlySpan<float> logits, SamplingParameters parameters, float logWeightMin, float logitMin)
    {
        var distance = parameters.Temperature * (MathF.Max(logWeightMin, TokenWeight.LogMin) - LogMargin);
        var floor = _blocks.Largest + distance - (MathF.Abs(_blocks.Largest) * LogitMargin);
        _candidates.Gather(logits, _blocks, MathF.Max(floor, logitMin));
        _candidates.Weigh(_blocks.Largest, 1 / parameters.Temperature, parameters.MinP);
    }

    /// <summary>The largest of the candidates' logits, by insertion: they are few, and so are those wanted.</summary>
    private static void Largest(Candidates candidates, Span<TokenLogprob> top)
    {
        var count = 0;
        for (var i = 0; i < candidates.Count; i++)
        {
            var logit = candidates.Logs[i];
            if (count == top.Length && logit <= top[^1].Logprob)
            {
                continue;
            }

            var place = count < top.Length ? count++ : top.Length - 1;
            for (; place > 0 && top[place - 1].Logprob < logit; place--)
            {
                top[place] = top[place - 1];
            }

            top[place] = new TokenLogprob(candidates.Ids[i], logit);
        }
    }
}
