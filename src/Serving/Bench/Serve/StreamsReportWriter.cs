using System.Globalization;
using System.Text.Json.Nodes;
using Serving.Cli.Output;

namespace Serving.Cli.Bench.Serve;

/// <summary>What a closed load of streams found.</summary>
internal sealed record StreamsReport(BenchMachine Machine, LoadTarget Target, IReadOnlyList<StreamsFigure> Figures);

/// <summary>Shows it to people or programs.</summary>
internal static class StreamsReportWriter
{
    private static readonly double[] _tbtPercents = [50, 99, 99.9];

    /// <summary>One object: <c>{"ratios": {"1": 0.93}, "model", "streams": [{"streams", "served": {"rounds", "median"}, "tbt_ms": {"p50", …}, "engine": {…}, "ratio"}], "processor"}</c>.</summary>
    public static void WriteJson(StreamsReport report, TextWriter output) => output.WriteLine(new JsonObject
    {
        ["ratios"] = new JsonObject(report.Figures.Where(figure => figure.Ratio is not null)
            .Select(figure => KeyValuePair.Create(figure.Streams.ToString(CultureInfo.InvariantCulture), (JsonNode?)Math.Round(figure.Ratio!.Value, 3)))),
        ["url"] = report.Target.Url.ToString(),
        ["model"] = report.Target.Model,
        ["streams"] = new JsonArray([.. report.Figures.Select(figure => new JsonObject
        {
            ["streams"] = figure.Streams,
            ["served"] = Rounds(figure.Served),
            ["tbt_ms"] = ServeReportWriter.Percentiles(figure.Tbt),
            ["engine"] = figure.Engine.Count == 0 ? null : Rounds(figure.Engine),
            ["ratio"] = figure.Ratio is { } ratio ? Math.Round(ratio, 3) : null,
        })]),
        ["processor"] = report.Machine.ToJson(),
    }.ToJsonString());

    public static void WriteText(StreamsReport report, TextWriter output)
    {
        output.WriteLine($"processor   {PrintableLine.Of(report.Machine.ToString())}");
        output.WriteLine($"target      {report.Target.Url} {PrintableLine.Of(report.Target.Model)}");
        output.WriteLine("decode tokens per second while all streams are under way, medians");
        output.WriteLine();
        BenchTable.Write(output, ["streams", "served", "engine", "ratio", "TBT p50", "p99", "p99.9 ms"], report.Figures.Select(figure => (string[])
        [
            Format(figure.Streams, "0"),
            Format(Statistics.Median(figure.Served), "0.0"),
            figure.Engine.Count == 0 ? "-" : Format(Statistics.Median(figure.Engine), "0.0"),
            figure.Ratio is { } ratio ? Format(ratio, "0.00") : "-",
            .. _tbtPercents.Select(percent => Format(Statistics.Percentile(figure.Tbt, percent) * 1e3, "0.0")),
        ]));
    }

    private static JsonObject Rounds(IReadOnlyList<double> figures) => new()
    {
        ["rounds"] = new JsonArray([.. figures.Select(figure => JsonValue.Create(Math.Round(figure, 2)))]),
        ["median"] = Math.Round(Statistics.Median(figures), 2),
    };

    private static string Format(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
