using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Serving.Gateway.Telemetry;

/// <summary>The server metrics of OpenTelemetry's GenAI conventions, with the buckets that they ask for. All in seconds.</summary>
internal sealed class GatewayMetrics
{
    public const string MeterName = "Serving.Gateway";
    public const string RequestDuration = "gen_ai.server.request.duration";
    public const string TimeToFirstToken = "gen_ai.server.time_to_first_token";
    public const string TimePerOutputToken = "gen_ai.server.time_per_output_token";

    private readonly Histogram<double> _requestDuration;
    private readonly Histogram<double> _timeToFirstToken;
    private readonly Histogram<double> _timePerOutputToken;

    public GatewayMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _requestDuration = Seconds(
            meter, RequestDuration, "From a request's arrival to its last byte.",
            [.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]);
        _timeToFirstToken = Seconds(
            meter, TimeToFirstToken, "From a request's arrival to its first token.",
            [.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10]);
        _timePerOutputToken = Seconds(
            meter, TimePerOutputToken, "Mean time of each token after the first.",
            [.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5]);
    }

    public void RecordDuration(TimeSpan duration, in TagList tags) => _requestDuration.Record(duration.TotalSeconds, tags);

    public void RecordTokens(TimeSpan timeToFirstToken, TimeSpan duration, int tokens, in TagList tags)
    {
        _timeToFirstToken.Record(timeToFirstToken.TotalSeconds, tags);
        if (tokens > 1)
        {
            _timePerOutputToken.Record((duration - timeToFirstToken).TotalSeconds / (tokens - 1), tags);
        }
    }

    private static Histogram<double> Seconds(Meter meter, string name, string description, double[] buckets) =>
        meter.CreateHistogram(name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = buckets });
}
