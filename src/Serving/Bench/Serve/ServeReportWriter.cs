using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serving.Cli.Output;

namespace Serving.Cli.Bench.Serve;

/// <summary>Shows what <c>bench serve</c> found to people or programs.</summary>
internal static class ServeReportWriter
{
    private static readonly JsonSerializerOptions _readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly double[] _percents = [50, 90, 99, 99.9];

    /// <summary>One object: <c>{"model", "load", "requests": {"sent", "completed", "errors"}, "ttft_ms": {"p50", …}, "tbt_ms", "e2e_ms", "goodput", …}</c>.</summary>
    public static void WriteJson(ServeReport report, TextWriter output) => output.WriteLine(new JsonObject
    {
        ["url"] = report.Target.Url.ToString(),
        ["model"] = report.Target.Model,
        ["load"] = report.Load,
        ["offered_requests_per_second"] = Round(report.OfferedRate),
        ["seconds"] = Round(report.Seconds),
        ["requests"] = new JsonObject
        {
            ["sent"] = report.Outcomes.Count,
            ["completed"] = report.Complete.Count,
            ["errors"] = new JsonObject(report.Errors.Select(kind => KeyValuePair.Create(kind.Key, (JsonNode?)kind.Value))),
        },
        ["ttft_ms"] = Percentiles(report.Ttft),
        ["tbt_ms"] = Percentiles(report.Tbt),
        ["e2e_ms"] = Percentiles(report.E2e),
        ["prompt_tokens_per_second"] = Round(report.PromptTokensPerSecond),
        ["answer_tokens_per_second"] = Round(report.AnswerTokensPerSecond),
        ["goodput"] = new JsonObject
        {
            ["slo_ttft_ms"] = Round(report.Objective.TtftSeconds * 1e3),
            ["slo_tbt_ms"] = Round(report.Objective.TbtSeconds * 1e3),
            ["requests_per_second"] = Round(report.Goodput),
            ["part"] = Round(report.Goodput * report.Seconds / report.Outcomes.Count),
        },
        ["processor"] = report.Machine.ToJson(),
    }.ToJsonString(_readable));

    public static void WriteText(ServeReport report, TextWriter output)
    {
        output.WriteLine($"processor   {PrintableLine.Of(report.Machine.ToString())} (this client's; the server may have another)");
        output.WriteLine($"target      {report.Target.Url} {PrintableLine.Of(report.Target.Model)}");
        output.WriteLine(Invariant($"load        {report.Load}: {report.Outcomes.Count} requests at {report.OfferedRate:0.##} a second, {report.Seconds:0.0} s until the last was answered"));
        output.WriteLine($"answered    {report.Complete.Count}{string.Concat(report.Errors.Select(kind => $"; {kind.Value} {kind.Key}"))}");
        output.WriteLine(Invariant($"tokens      {report.PromptTokensPerSecond:0.0} of prompts and {report.AnswerTokensPerSecond:0.0} of answers a second"));
        output.WriteLine(Invariant(
            $"goodput     {report.Goodput:0.00} requests a second ({report.Goodput * report.Seconds / report.Outcomes.Count:0 %}) with TTFT ≤ {report.Objective.TtftSeconds * 1e3:0} ms and TBT ≤ {report.Objective.TbtSeconds * 1e3:0} ms"));
        output.WriteLine();
        BenchTable.Write(output, ["milliseconds", .. _percents.Select(percent => Invariant($"p{percent}"))], [Row("TTFT", report.Ttft), Row("TBT", report.Tbt), Row("E2E", report.E2e)]);
    }

    public static void Draw(ServeReport report, string file) => BenchPlot.Save(
        file,
        Invariant($"{report.Target.Model}: {report.Outcomes.Count} requests at {report.OfferedRate:0.##} a second"),
        "milliseconds",
        "part that was no slower",
        new[] { ("time to first token", report.Ttft), ("time between tokens", report.Tbt), ("whole answer", report.E2e) }
            .Where(curve => curve.Item2.Count > 0)
            .Select(curve => Cumulative(curve.Item1, curve.Item2)),
        powersOfTwo: true);

    private static PlotCurve Cumulative(string name, IReadOnlyList<double> ascending)
    {
        const int Points = 200;
        double[] parts = [.. Enumerable.Range(0, Points + 1).Select(i => i / (double)Points)];
        // A gap may be shorter than the clock's tick, and the axis has no place for 0.
        return new PlotCurve(name, [.. parts.Select(part => Math.Max(0.01, Statistics.Percentile(ascending, part * 100) * 1e3))], parts);
    }

    private static string[] Row(string name, IReadOnlyList<double> ascending) =>
        [name, .. _percents.Select(percent => ascending.Count == 0 ? "-" : Invariant($"{Statistics.Percentile(ascending, percent) * 1e3:0.0}"))];

    /// <summary>In milliseconds, by the names <c>p50</c>, <c>p90</c>, …</summary>
    /// <param name="ascending">Seconds.</param>
    internal static JsonObject Percentiles(IReadOnlyList<double> ascending) => new(_percents.Select(percent => KeyValuePair.Create(
        Invariant($"p{percent}"), (JsonNode?)(ascending.Count == 0 ? null : Round(Statistics.Percentile(ascending, percent) * 1e3)))));

    private static double Round(double value) => Math.Round(value, 3);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
