using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serving.Cli.Machine;
using Serving.Cli.Output;

namespace Serving.Cli.Bench.Engine;

/// <summary>Shows what <c>bench engine</c> found to people or programs.</summary>
internal static class EngineReportWriter
{
    private static readonly JsonSerializerOptions _readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string[] _header = ["phase", "rows", "tok/s", "ms/step", "GB/s", "of memory", "GOP/s", "of kernel", "bytes/step"];

    /// <summary>One object: <c>{"model", "processor", "bounds", "memory", "figures": [{"phase", "rows", "tokens_per_second", …}]}</c>.</summary>
    public static void WriteJson(EngineReport report, TextWriter output) => output.WriteLine(new JsonObject
    {
        ["model"] = report.Model.Name,
        ["architecture"] = report.Model.Architecture,
        ["compute"] = report.Model.ComputePath,
        ["kv_type"] = report.KvType.ToString(),
        ["threads"] = report.Threads,
        ["prompt_tokens"] = report.PromptTokens,
        ["processor"] = report.Machine.ToJson(),
        ["bounds"] = new JsonObject
        {
            ["memory_gb_per_second"] = Round(report.Bounds.ReadBytesPerSecond / 1e9),
            ["kernel_gop_per_second"] = Round(report.Bounds.OperationsPerSecond / 1e9),
            ["kernel"] = report.Bounds.Kernel,
        },
        ["memory"] = new JsonObject
        {
            ["weights_bytes"] = report.Memory.Weights,
            ["kv_pool_bytes"] = report.Memory.KvPool,
            ["activations_bytes"] = report.Memory.Activations,
            ["managed_heap_bytes"] = report.Memory.ManagedHeap,
            ["resident_bytes"] = report.Memory.Resident,
        },
        ["figures"] = new JsonArray([.. report.Figures.Select(figure => ToJson(figure, report.Bounds))]),
    }.ToJsonString(_readable));

    public static void WriteText(EngineReport report, TextWriter output)
    {
        output.WriteLine($"processor   {PrintableLine.Of(report.Machine.ToString())}, {report.Threads} threads");
        output.WriteLine($"model       {PrintableLine.Of(report.Model.Name)}, {report.Model.ComputePath}, KV in {report.KvType}");
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"bounds      memory {report.Bounds.ReadBytesPerSecond / 1e9:0.0} GB/s (plain read); {report.Bounds.Kernel} {report.Bounds.OperationsPerSecond / 1e9:0} GOP/s (512 rows)"));
        output.WriteLine(
            $"memory      weights {ByteSize.Format(report.Memory.Weights)}, KV pool {ByteSize.Format(report.Memory.KvPool)}, activations {ByteSize.Format(report.Memory.Activations)}, "
            + $"managed heap {ByteSize.Format(report.Memory.ManagedHeap)}"
            + (report.Memory is { Resident: { } resident, Other: { } other } ? $"; resident {ByteSize.Format(resident)} (others: {ByteSize.Format(Math.Max(0, other))})" : ""));
        output.WriteLine();
        BenchTable.Write(output, _header, report.Figures.Select(figure => Row(figure, report.Bounds)));
    }

    public static void Draw(EngineReport report, string file) => BenchPlot.Save(
        file,
        $"{report.Model.Name}, {report.Model.ComputePath}, {report.Threads} threads, {report.Machine.Processor}",
        "rows of a step (decode: streams; prefill: tokens of a chunk)",
        "tokens per second",
        report.Figures.GroupBy(figure => figure.Phase).Select(phase => new PlotCurve(
            phase.Key, [.. phase.Select(figure => (double)figure.Rows)], [.. phase.Select(figure => figure.TokensPerSecond)])),
        powersOfTwo: true);

    private static string[] Row(EngineFigure figure, MachineBounds bounds) =>
    [
        figure.Phase,
        Format(figure.Rows, "0"),
        Format(figure.TokensPerSecond, "0.0"),
        Format(figure.StepMs, "0.00"),
        Format(figure.WeightBytesPerSecond / 1e9, "0.0"),
        Format(figure.WeightBytesPerSecond / bounds.ReadBytesPerSecond, "0 %"),
        Format(figure.OperationsPerSecond / 1e9, "0"),
        Format(figure.OperationsPerSecond / bounds.OperationsPerSecond, "0 %"),
        Format(figure.AllocatedBytesPerStep, "0"),
    ];

    private static JsonObject ToJson(EngineFigure figure, MachineBounds bounds) => new()
    {
        ["phase"] = figure.Phase,
        ["rows"] = figure.Rows,
        ["tokens_per_second"] = Round(figure.TokensPerSecond),
        ["step_ms"] = Round(figure.StepMs),
        ["weight_gb_per_second"] = Round(figure.WeightBytesPerSecond / 1e9),
        ["part_of_memory_bound"] = Round(figure.WeightBytesPerSecond / bounds.ReadBytesPerSecond),
        ["gop_per_second"] = Round(figure.OperationsPerSecond / 1e9),
        ["part_of_kernel_bound"] = Round(figure.OperationsPerSecond / bounds.OperationsPerSecond),
        ["allocated_bytes_per_step"] = Round(figure.AllocatedBytesPerStep),
    };

    private static string Format(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static double Round(double value) => Math.Round(value, 3);
}
