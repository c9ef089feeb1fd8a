using Serving.Engine.Models;

namespace Serving.Engine.Kernels;

/// <summary>Chooses a token's experts and their weights, as <see cref="RouterSpec"/> says. Among equal scores the lower number comes first.</summary>
public static class ExpertRouter
{
    // What DeepSeek-V3 adds to the sum of the weights before it divides by it.
    private const float SumEpsilon = 1e-20f;

    /// <summary>Room for the scores that <see cref="Choose"/> needs, in floats.</summary>
    public static int ScratchLength(RouterSpec router)
    {
        ArgumentNullException.ThrowIfNull(router);
        return (2 * router.Experts) + router.Groups;
    }

    /// <param name="logits">The router's outputs, one an expert.</param>
    /// <param name="correction">Added to the scores for the choice and not for the weights; or empty.</param>
    /// <param name="weights">Gets the chosen experts' weights, the best first.</param>
    /// <param name="experts">Gets their numbers, as whole fp32 numbers.</param>
    /// <param name="scratch">Room of <see cref="ScratchLength"/>.</param>
    public static void Choose(
        RouterSpec router, ReadOnlySpan<float> logits, ReadOnlySpan<float> correction, Span<float> weights, Span<float> experts, Span<float> scratch)
    {
        ArgumentNullException.ThrowIfNull(router);
        Span<float> scores = scratch[..router.Experts];
        Span<float> ranks = scratch.Slice(router.Experts, router.Experts);
        Score(router.Score, logits, scores);
        for (int expert = 0; expert < ranks.Length; expert++)
        {
            float rank = correction.IsEmpty ? scores[expert] : scores[expert] + correction[expert];
            ranks[expert] = float.IsNaN(rank) ? float.NegativeInfinity : rank;
        }

        if (router.GroupsUsed < router.Groups)
        {
            LeaveBestGroups(router, ranks, scratch.Slice(2 * router.Experts, router.Groups));
        }

        float sum = 0;
        for (int i = 0; i < router.Used; i++)
        {
            int best = Best(ranks);
            experts[i] = best;
            weights[i] = scores[best];
            ranks[best] = float.NaN; // taken
            sum += scores[best];
        }

        if (router.Score == RouterScore.SoftmaxOfChosen)
        {
            Softmax(weights[..router.Used], weights);
        }
        else if (router.Renormalize)
        {
            Multiply(weights[..router.Used], 1 / (sum + SumEpsilon));
        }

        if (router.Scale != 1)
        {
            Multiply(weights[..router.Used], router.Scale);
        }
    }

    private static void Score(RouterScore score, ReadOnlySpan<float> logits, Span<float> scores)
    {
        switch (score)
        {
            case RouterScore.Softmax:
                Softmax(logits, scores);
                break;
            case RouterScore.Sigmoid:
                for (int i = 0; i < scores.Length; i++)
                {
                    scores[i] = 1 / (1 + VectorMath.Exp(-logits[i]));
                }

                break;
            default:
                logits[..scores.Length].CopyTo(scores);
                break;
        }
    }

    private static void Softmax(ReadOnlySpan<float> logits, Span<float> y)
    {
        float highest = float.NegativeInfinity;
        foreach (float logit in logits)
        {
            highest = MathF.Max(highest, logit);
        }

        float sum = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            y[i] = VectorMath.Exp(logits[i] - highest);
            sum += y[i];
        }

        Multiply(y[..logits.Length], 1 / sum);
    }

    /// <summary>Sets the ranks of all but the best groups to 0, as DeepSeek's and transformers' code does: a worse score of a used group comes after them.</summary>
    private static void LeaveBestGroups(RouterSpec router, Span<float> ranks, Span<float> groups)
    {
        int size = router.Experts / router.Groups;
        for (int group = 0; group < groups.Length; group++)
        {
            Span<float> members = ranks.Slice(group * size, size);
            int first = Best(members);
            groups[group] = members[first];
            if (router.GroupScoreIsTopTwo && size > 1)
            {
                float best = members[first];
                members[first] = float.NegativeInfinity;
                groups[group] += members[Best(members)];
                members[first] = best;
            }
        }

        for (int used = 0; used < router.GroupsUsed; used++)
        {
            groups[Best(groups)] = float.NaN; // kept
        }

        for (int group = 0; group < groups.Length; group++)
        {
            if (!float.IsNaN(groups[group]))
            {
                ranks.Slice(group * size, size).Clear();
            }
        }
    }

    /// <summary>The place of the highest number that is not taken, the first of several.</summary>
    private static int Best(ReadOnlySpan<float> ranks)
    {
        int best = -1;
        for (int i = 0; i < ranks.Length; i++)
        {
            if (!float.IsNaN(ranks[i]) && (best < 0 || ranks[i] > ranks[best]))
            {
                best = i;
            }
        }

        return Math.Max(best, 0);
    }

    private static void Multiply(Span<float> values, float factor)
    {
        for (int i = 0; i < values.Length; i++)
        {
            values[i] *= factor;
        }
    }
}
