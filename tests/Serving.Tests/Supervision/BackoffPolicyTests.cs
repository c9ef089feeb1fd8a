using Serving.Cli.Supervision;

namespace Serving.Serving.Tests.Supervision;

public sealed class BackoffPolicyTests
{
    [Fact]
    public void Doubles_from_a_quarter_second_to_ten_and_stays_there()
    {
        var policy = new BackoffPolicy();
        var delays = Enumerable.Range(0, 9).Select(_ => policy.Next(TimeSpan.FromSeconds(1)).TotalSeconds);
        Assert.Equal([0.25, 0.5, 1, 2, 4, 8, 10, 10, 10], delays);
    }

    [Fact]
    public void Begins_anew_after_half_a_minute_of_life()
    {
        var policy = new BackoffPolicy();
        policy.Next(TimeSpan.Zero);
        policy.Next(TimeSpan.Zero);
        Assert.Equal(0.25, policy.Next(TimeSpan.FromSeconds(30)).TotalSeconds);
        Assert.Equal(0, policy.ShortLives);
        Assert.Equal(0.25, policy.Next(TimeSpan.Zero).TotalSeconds);
    }
}
