namespace Serving.Engine.Sampling;

/// <summary>The choice of one of several weights.</summary>
internal static class WeightedDraw
{
    /// <summary>
    /// The index at which the sum of the weights from the first on passes <paramref name="target"/>; the last weight that is not 0, when
    /// rounding keeps the sum from it.
    /// </summary>
    public static int Pick(ReadOnlySpan<float> weights, double target)
    {
        var sum = 0.0;
        var chosen = -1;
        for (var i = 0; i < weights.Length; i++)
        {
            if (weights[i] > 0)
            {
                chosen = i;
                sum += weights[i];
                if (sum > target)
                {
                    break;
                }
            }
        }

        return chosen;
    }
}
