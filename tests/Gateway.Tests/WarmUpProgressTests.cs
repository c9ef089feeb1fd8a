using Serving.Gateway.WarmUp;

namespace Serving.Gateway.Tests;

public sealed class WarmUpProgressTests
{
    [Theory]
    [InlineData(true, 500, 300, 102, 100, 108)]
    [InlineData(true, 100, 100, 100)]
    [InlineData(false, 100, 100)]
    [InlineData(false, 500, 300, 200, 150, 100)]
    [InlineData(false, 100, 100, 111)]
    [InlineData(false, 90, 100, 100, 100)]
    public void Rounds_end_once_the_last_three_are_near_the_best(bool steady, params int[] milliseconds)
    {
        var progress = new WarmUpProgress();
        foreach (var time in milliseconds)
        {
            progress.Add(TimeSpan.FromMilliseconds(time));
        }

        Assert.Equal(steady, progress.IsSteady);
        Assert.Equal(milliseconds.Length, progress.Rounds);
    }
}
