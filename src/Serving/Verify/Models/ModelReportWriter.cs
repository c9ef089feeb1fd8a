using System.Globalization;
using System.Text.Json.Nodes;

namespace Serving.Cli.Verify.Models;

/// <summary>Shows a model's report to people or programs.</summary>
internal static class ModelReportWriter
{
    public static void WriteText(ModelReport report, TextWriter output)
    {
        output.WriteLine($"{report.Path}: {report.Architecture}, {report.ComputePath}");
        foreach (var one in report.Cases)
        {
            var logits = one.Positions == 0 ? "" : $"largest logit error {Format(one.LargestError)} over {one.Positions} positions, ";
            var kl = one.Distance is { } distance ? $", mean KL {Format(distance.MeanKl)}" : "";
            output.WriteLine($"  case {one.Name}: {logits}greedy {one.Matched} of {one.Greedy}{kl}{(one.IsEncodedAsRecorded ? "" : ", other tokens")}");
        }

        foreach (var text in report.Texts)
        {
            var kl = text.Distance is { } distance
                ? $"mean KL {Format(distance.MeanKl)} (llama.cpp {Format(text.PeerMeanKl)}), top-1 {Format(distance.Top1Agreement)} (llama.cpp {Format(text.PeerTop1Agreement)})"
                : $"largest log-probability error {Format(text.LargestError)}, nll {Format(text.Nll)}";
            output.WriteLine($"  {text.Name}: {text.Positions} positions, {kl}");
        }

        WriteSums(report, output);
        foreach (var failure in report.Failures)
        {
            output.WriteLine(failure);
        }

        output.WriteLine(report.Failures.Count == 0 ? "Passed." : "Failed.");
    }

    /// <summary>One object: <c>{"model", "architecture", "compute", "passed", "failures", "largest_logit_error", …, "cases", "texts"}</c>.</summary>
    public static void WriteJson(ModelReport report, TextWriter output) => output.WriteLine(new JsonObject
    {
        ["model"] = report.Path,
        ["architecture"] = report.Architecture,
        ["compute"] = report.ComputePath,
        ["passed"] = report.Failures.Count == 0,
        ["failures"] = new JsonArray([.. report.Failures.Select(failure => (JsonNode)failure)]),
        ["largest_logit_error"] = Number(report.LargestError),
        ["logit_error_allowed"] = report.IsReference ? Number(report.ErrorAllowed) : null,
        ["llama_cpp_largest_logit_error"] = report.PeerLargestError,
        ["greedy_matched"] = report.Matched,
        ["greedy"] = report.Greedy,
        ["mean_kl"] = report.Distance is { } distance ? Number(distance.MeanKl) : null,
        ["mean_kl_allowed"] = report.IsReference ? null : report.Allowed?.MeanKl,
        ["top1_agreement"] = report.Distance?.Top1Agreement,
        ["top1_agreement_asked"] = report.IsReference ? null : report.Allowed?.Top1Agreement,
        ["cases"] = new JsonArray([.. report.Cases.Select(ToJson)]),
        ["texts"] = new JsonArray([.. report.Texts.Select(ToJson)]),
    }.ToJsonString());

    private static void WriteSums(ModelReport report, TextWriter output)
    {
        if (report.Cases.Any(one => one.Positions > 0))
        {
            var allowed = report.IsReference ? $" (allowed {Format(report.ErrorAllowed)})" : "";
            var peer = report.PeerLargestError is { } error ? $" (llama.cpp {Format(error)})" : "";
            output.WriteLine($"Largest logit error {Format(report.LargestError)}{allowed}{peer}");
        }

        output.WriteLine($"Greedy tokens as recorded: {report.Matched} of {report.Greedy}");
        if (report.TokenRows > 0)
        {
            output.WriteLine($"Texts tokenised as recorded: {report.TokenRowsMatched} of {report.TokenRows}");
        }

        if (report.Distance is { } distance)
        {
            var (kl, top1) = report.Allowed is { } bound ? ($" (allowed {Format(bound.MeanKl)})", $" (asked {Format(bound.Top1Agreement)})") : ("", "");
            output.WriteLine($"From our fp32 path over {distance.Positions} positions: mean KL {Format(distance.MeanKl)}{kl}, top-1 agreement {Format(distance.Top1Agreement)}{top1}");
        }
    }

    private static JsonObject ToJson(CaseReport one) => new()
    {
        ["case"] = one.Name,
        ["positions"] = one.Positions,
        ["largest_logit_error"] = Number(one.LargestError),
        ["greedy_matched"] = one.Matched,
        ["greedy"] = one.Greedy,
        ["tokens_as_recorded"] = one.IsEncodedAsRecorded,
        ["mean_kl"] = one.Distance is { } distance ? Number(distance.MeanKl) : null,
    };

    private static JsonObject ToJson(TextReport text) => new()
    {
        ["text"] = text.Name,
        ["positions"] = text.Positions,
        ["largest_logprob_error"] = Number(text.LargestError),
        ["nll"] = Number(text.Nll),
        ["mean_kl"] = text.Distance is { } distance ? Number(distance.MeanKl) : null,
        ["llama_cpp_mean_kl"] = text.PeerMeanKl,
        ["top1_agreement"] = text.Distance?.Top1Agreement,
        ["llama_cpp_top1_agreement"] = text.PeerTop1Agreement,
    };

    // JSON has no word for what is not finite.
    private static double? Number(double value) => double.IsFinite(value) ? value : null;

    private static string Format(double value) => value.ToString(value is > 0 and < 0.001 ? "0.0e-0" : "0.####", CultureInfo.InvariantCulture);
}
