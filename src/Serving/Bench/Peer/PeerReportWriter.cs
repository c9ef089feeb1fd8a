using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serving.Cli.Output;

namespace Serving.Cli.Bench.Peer;

/// <summary>Shows a comparison to people or programs.</summary>
internal static class PeerReportWriter
{
    private static readonly JsonSerializerOptions _readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// One object: <c>{"ratios": {"decode_1": 1.9, …}, "cases": {"decode_1": {"model", "streams", …, "ours": {"rounds", "median"}, "llama_cpp": {…}, "ratio"}}, "processor", "engine", "llama_cpp", "settings"}</c>.
    /// </summary>
    public static void WriteJson(PeerReport report, TextWriter output) => output.WriteLine(new JsonObject
    {
        ["ratios"] = new JsonObject(report.Results.Select(result => KeyValuePair.Create(result.Case.Name, (JsonNode?)Math.Round(result.Ratio, 3)))),
        ["cases"] = new JsonObject(report.Results.Select(result => KeyValuePair.Create(result.Case.Name, (JsonNode?)ToJson(result)))),
        ["processor"] = report.Machine.ToJson(),
        ["engine"] = new JsonObject
        {
            ["version"] = typeof(PeerReportWriter).Assembly.GetName().Version!.ToString(3),
            ["kernels"] = report.Kernels.Name,
            ["candidates"] = new JsonObject(report.Kernels.Candidates.Select(one => KeyValuePair.Create(one.Name, (JsonNode?)one.Verdict.ToString()))),
            ["path"] = "scheduler, executor and sampler on one thread, as a worker's engine loop runs them",
        },
        ["llama_cpp"] = new JsonObject { ["version"] = report.PeerVersion, ["system"] = report.PeerSystem, ["library"] = report.PeerPath },
        ["settings"] = new JsonObject
        {
            ["threads"] = report.Threads,
            ["rounds"] = report.Rounds,
            ["kv"] = "fp16",
            ["flash_attention"] = true,
            ["sampling"] = "greedy",
        },
    }.ToJsonString(_readable));

    public static void WriteText(PeerReport report, TextWriter output)
    {
        output.WriteLine($"processor   {PrintableLine.Of(report.Machine.ToString())}");
        output.WriteLine($"engine      {string.Join(", ", report.Results.Select(result => result.ComputePath).Distinct())}, {report.Threads} threads");
        output.WriteLine($"llama.cpp   {report.PeerVersion}, {PrintableLine.Of(report.PeerSystem)}");
        output.WriteLine($"            {PrintableLine.Of(report.PeerPath)}");
        output.WriteLine($"tokens per second, medians of {report.Rounds} rounds in turns (lowest to highest)");
        output.WriteLine();
        output.WriteLine($"{"case",-14}{"model",-34}{"ours",28}{"llama.cpp",28}{"ratio",8}");
        foreach (var result in report.Results)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{result.Case.Name,-14}{PrintableLine.Of(result.Model),-34}{Range(result.Ours),28}{Range(result.Theirs),28}{result.Ratio,8:0.00}"));
        }
    }

    private static JsonObject ToJson(PeerResult result) => new()
    {
        ["model"] = result.Model,
        ["compute"] = result.ComputePath,
        ["streams"] = result.Case.Streams,
        ["prompt_tokens"] = result.Case.PromptTokens,
        ["decode_steps"] = result.Case.AnswerTokens,
        ["unit"] = "tokens/s",
        ["ours"] = ToJson(result.Ours),
        ["llama_cpp"] = ToJson(result.Theirs),
        ["ratio"] = Math.Round(result.Ratio, 3),
        ["first_tokens_equal"] = result.AgreeingStreams,
    };

    private static JsonObject ToJson(IReadOnlyList<double> figures) => new()
    {
        ["rounds"] = new JsonArray([.. figures.Select(figure => JsonValue.Create(Math.Round(figure, 2)))]),
        ["median"] = Math.Round(Statistics.Median(figures), 2),
    };

    private static string Range(IReadOnlyList<double> figures) =>
        string.Create(CultureInfo.InvariantCulture, $"{Statistics.Median(figures):0.0} ({figures.Min():0.0}–{figures.Max():0.0})");
}
