namespace Serving.Engine.Tests.Sampling;

/// <summary>Pearson's test of counts against the probabilities they should follow.</summary>
internal static class ChiSquare
{
    private const double ExpectedMin = 8;

    /// <summary>
    /// Fails when the counts are so far from the probabilities that chance brings it about once in about 100,000 times; draws have fixed
    /// seeds, so a test that passes does so always.
    /// </summary>
    public static void Check(int[] counts, double[] probabilities)
    {
        var draws = counts.Sum();
        Assert.All(counts.Index(), cell => Assert.True(cell.Item == 0 || probabilities[cell.Index] > 0, $"token {cell.Index} was not to be drawn"));

        // Rare outcomes share one cell: the test is for cells that expect several.
        var rareCount = 0;
        var rareExpected = 0.0;
        var statistic = 0.0;
        var cells = 0;
        for (var i = 0; i < counts.Length; i++)
        {
            var expected = probabilities[i] * draws;
            if (expected < ExpectedMin)
            {
                rareCount += counts[i];
                rareExpected += expected;
                continue;
            }

            statistic += Math.Pow(counts[i] - expected, 2) / expected;
            cells++;
        }

        if (rareExpected >= ExpectedMin)
        {
            statistic += Math.Pow(rareCount - rareExpected, 2) / rareExpected;
            cells++;
        }

        // Wilson and Hilferty: the cube root of chi-square / k is nearly normal.
        var freedom = Math.Max(1, cells - 1);
        var deviations = (Math.Cbrt(statistic / freedom) - (1 - (2.0 / (9 * freedom)))) / Math.Sqrt(2.0 / (9 * freedom));
        Assert.True(deviations < 4.3, $"chi-square {statistic:F1} with {freedom} degrees of freedom is {deviations:F1} deviations off");
    }
}
