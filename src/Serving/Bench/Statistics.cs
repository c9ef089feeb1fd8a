namespace Serving.Cli.Bench;

/// <summary>What a few measurements come to.</summary>
internal static class Statistics
{
    /// <summary>The middle value; of an even number of values the mean of the two in the middle.</summary>
    public static double Median(IEnumerable<double> values) => Percentile([.. values.Order()], 50);

    /// <summary>A percentile by linear interpolation between the closest ranks (NumPy's default, "inclusive").</summary>
    /// <param name="ascending">At least one value, sorted.</param>
    /// <param name="percent">0 to 100.</param>
    public static double Percentile(IReadOnlyList<double> ascending, double percent)
    {
        ArgumentOutOfRangeException.ThrowIfZero(ascending.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(percent);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percent, 100);
        var rank = percent / 100 * (ascending.Count - 1);
        var below = (int)rank;
        return below + 1 == ascending.Count
            ? ascending[below]
            : ascending[below] + ((rank - below) * (ascending[below + 1] - ascending[below]));
    }
}
