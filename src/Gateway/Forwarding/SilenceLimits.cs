using Serving.Gateway.Configuration;

namespace Serving.Gateway.Forwarding;

/// <summary>What a stream does while no event comes.</summary>
/// <param name="KeepAlive">After so long, and each time again, a comment goes to the client; before the first event it also lets the headers go.</param>
/// <param name="Silence">After so long the answer ends.</param>
internal readonly record struct SilenceLimits(TimeSpan KeepAlive, TimeSpan Silence)
{
    public static SilenceLimits Of(GatewayOptions options) => new(
        options.KeepAliveSeconds > 0 ? TimeSpan.FromSeconds(options.KeepAliveSeconds) : Timeout.InfiniteTimeSpan,
        options.SilenceSecondsMax > 0 ? TimeSpan.FromSeconds(options.SilenceSecondsMax) : TimeSpan.MaxValue);
}
