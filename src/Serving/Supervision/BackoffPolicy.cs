namespace Serving.Cli.Supervision;

/// <summary>How long to wait before a process that ended is started again: doubling from 0.25 s to 10 s, and from the start again after 30 s of life.</summary>
internal sealed class BackoffPolicy
{
    public static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(0.25);
    public static readonly TimeSpan DelayMax = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan HealthyLife = TimeSpan.FromSeconds(30);

    /// <summary>How many lives in a row were shorter than <see cref="HealthyLife"/>.</summary>
    public int ShortLives { get; private set; }

    /// <summary>The delay after a life of this length.</summary>
    public TimeSpan Next(TimeSpan life)
    {
        ShortLives = life >= HealthyLife ? 0 : ShortLives + 1;
        // 2^6 × 0.25 s is past the maximum already; the bound keeps the shift in range.
        var doublings = Math.Clamp(ShortLives - 1, 0, 6);
        var delay = FirstDelay * (1 << doublings);
        return delay < DelayMax ? delay : DelayMax;
    }
}
