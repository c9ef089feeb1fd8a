using Serving.Cli.Bench;

namespace Serving.Serving.Tests.Bench;

public sealed class StatisticsTests
{
    [Theory]
    [InlineData(new[] { 3.0 }, 3.0)]
    [InlineData(new[] { 9.0, 1.0, 5.0 }, 5.0)]
    [InlineData(new[] { 4.0, 1.0, 3.0, 2.0 }, 2.5)]
    public void The_median_is_the_middle(double[] values, double expected) => Assert.Equal(expected, Statistics.Median(values));

    // numpy.percentile([1, 2, 4, 8, 16], …)
    [Theory]
    [InlineData(0, 1)]
    [InlineData(25, 2)]
    [InlineData(50, 4)]
    [InlineData(90, 12.8)]
    [InlineData(99, 15.68)]
    [InlineData(100, 16)]
    public void A_percentile_lies_between_the_closest_ranks(double percent, double expected) =>
        Assert.Equal(expected, Statistics.Percentile([1, 2, 4, 8, 16], percent), 1e-9);

    [Fact]
    public void Nothing_has_no_percentile() => Assert.Throws<ArgumentOutOfRangeException>(() => Statistics.Percentile([], 50));
}
