using Serving.Engine.Sampling;

namespace Serving.Engine.Tests.Sampling;

/// <summary>
/// Sampling as its papers and OpenAI's reference say it, in doubles, with sorts and sums over the whole vocabulary: what the sampler is
/// held to.
/// </summary>
internal sealed record SamplerReference(float[] Logits, SamplingParameters Parameters, int[] Prompt, int[] Answer, int[] EndTokens)
{
    /// <summary>Logits after penalties, bias and the mask of end tokens.</summary>
    public double[] Adjusted()
    {
        var logits = Logits.Select(logit => (double)logit).ToArray();
        foreach (var token in Prompt.Concat(Answer).Distinct())
        {
            logits[token] = logits[token] > 0 ? logits[token] / Parameters.RepetitionPenalty : logits[token] * Parameters.RepetitionPenalty;
        }

        foreach (var group in Answer.GroupBy(token => token))
        {
            logits[group.Key] -= (group.Count() * (double)Parameters.FrequencyPenalty) + Parameters.PresencePenalty;
        }

        foreach (var bias in Parameters.LogitBias.ToArray())
        {
            logits[bias.TokenId] += bias.Bias;
        }

        foreach (var token in Answer.Length < Parameters.MinTokens ? EndTokens : [])
        {
            logits[token] = double.NegativeInfinity;
        }

        return logits;
    }

    /// <summary>
    /// The probability of every token. With a <paramref name="slack"/> other than 0 every border is moved by that share: where this changes
    /// nothing, no rounding can decide who is kept.
    /// </summary>
    public double[] Probabilities(double slack = 0)
    {
        var logits = Adjusted();
        var largest = logits.Max();
        var weights = logits.Select(logit => Math.Exp((logit - largest) / Parameters.Temperature)).ToArray();
        var byWeight = Order(weights, id => -weights[id]);
        if (Parameters.TopK > 0)
        {
            Drop(weights, byWeight.Skip(Parameters.TopK));
        }

        Drop(weights, byWeight.Where(id => weights[id] < Parameters.MinP * (1 + slack)));
        if (Parameters.TypicalP < 1)
        {
            var p = Normalise(weights);
            var entropy = -p.Sum(x => x > 0 ? x * Math.Log(x) : 0);
            CutByMass(weights, Order(weights, id => Math.Abs(-Math.Log(p[id]) - entropy)), Parameters.TypicalP * (1 + slack));
        }

        if (Parameters.TopP < 1)
        {
            CutByMass(weights, Order(weights, id => -weights[id]), Parameters.TopP * (1 + slack));
        }

        return Normalise(weights);
    }

    private static int[] Order(double[] weights, Func<int, double> key) =>
        [.. Enumerable.Range(0, weights.Length).Where(id => weights[id] > 0).OrderBy(key).ThenBy(id => id)];

    private static void CutByMass(double[] weights, int[] order, double share)
    {
        var wanted = weights.Sum() * share;
        var mass = 0.0;
        var kept = 0;
        while (kept < order.Length && mass < wanted)
        {
            mass += weights[order[kept++]];
        }

        Drop(weights, order.Skip(kept));
    }

    private static void Drop(double[] weights, IEnumerable<int> ids)
    {
        foreach (var id in ids.ToArray())
        {
            weights[id] = 0;
        }
    }

    private static double[] Normalise(double[] weights)
    {
        var sum = weights.Sum();
        return [.. weights.Select(weight => weight / sum)];
    }
}
