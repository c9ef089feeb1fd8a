namespace Serving.Gateway.Tests.Support;

/// <summary>The time after which a test that waits has failed.</summary>
internal static class TestTime
{
    public static TimeSpan LimitTime { get; } = TimeSpan.FromSeconds(30);

    public static CancellationToken Limit()
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(LimitTime);
        return limit.Token;
    }
}
