using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serving.Cli.Machine;
using Serving.Cli.Output;
using Serving.Engine.Formats;

namespace Serving.Cli.Inspect;

/// <summary>Shows an inspection to people or programs.</summary>
internal static class ModelInspectionWriter
{
    private static readonly JsonSerializerOptions _readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string[] _header = ["tensor", "count", "shape", "type", "size", "kernel"];

    public static void WriteText(ModelInspection model, TextWriter output)
    {
        var config = model.Config;
        Line("model", $"{config.Name} ({model.Path})");
        Line("format", $"{model.Format}, {ByteSize.Format(model.FileBytes)}, {string.Join(", ", model.Types.Select(type => $"{type.Type} {Percent(type.Share)}"))}");
        Line("architecture", $"{config.Architecture}: {config.Layers} layers, {config.Width} wide, {config.Heads} heads, {config.KvHeads} KV heads of {config.HeadDim}");
        Line("parameters", Count(model.Parameters));
        Line("context", $"{Number(config.ContextLength)} tokens");
        Line("vocabulary", $"{Number(model.Tokens)} tokens; an answer ends with {(model.EndTokens.Count == 0 ? "no token of its own" : string.Join(", ", model.EndTokens))}");
        if (Defaults(model.SamplingDefaults) is { Count: > 0 } defaults)
        {
            Line("sampling", $"recommended: {string.Join(", ", defaults.Select(one => $"{one.Key} {one.Value}"))}");
        }

        Line(
            "memory",
            $"{model.ComputePath}: weights {ByteSize.Format(model.Footprint.WeightBytes)} and {ByteSize.Format(model.Footprint.MappedBytes)} mapped, scratch {ByteSize.Format(model.Footprint.ScratchBytes)}, "
            + $"KV cache {ByteSize.Format(model.KvBytesPerToken * 1000L)} for 1,000 tokens");
        output.WriteLine();
        WriteTensors(model, output);
        output.WriteLine();
        WriteTemplate(model, output);

        void Line(string name, string value) => output.WriteLine($"{name,-14}{PrintableLine.Of(value)}");
    }

    /// <summary>One object: <c>{"model", "path", "format", "architecture", "layers", …, "tensors": [{"name", "shape", "type", "kernel", "count", "bytes"}]}</c>.</summary>
    public static void WriteJson(ModelInspection model, TextWriter output) => output.WriteLine(new JsonObject
    {
        ["model"] = model.Config.Name,
        ["path"] = model.Path,
        ["format"] = model.Format,
        ["architecture"] = model.Config.Architecture,
        ["layers"] = model.Config.Layers,
        ["width"] = model.Config.Width,
        ["heads"] = model.Config.Heads,
        ["kv_heads"] = model.Config.KvHeads,
        ["head_dim"] = model.Config.HeadDim,
        ["context_length"] = model.Config.ContextLength,
        ["vocabulary_size"] = model.Config.VocabularySize,
        ["parameters"] = model.Parameters,
        ["file_bytes"] = model.FileBytes,
        ["compute"] = model.ComputePath,
        ["weight_bytes"] = model.Footprint.WeightBytes,
        ["mapped_bytes"] = model.Footprint.MappedBytes,
        ["scratch_bytes"] = model.Footprint.ScratchBytes,
        ["kv_bytes_per_token"] = model.KvBytesPerToken,
        ["sampling_defaults"] = new JsonObject(Defaults(model.SamplingDefaults).Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value))),
        ["template_preview"] = model.TemplatePreview,
        ["tensors"] = new JsonArray(
        [
            .. model.Tensors.Select(tensor => new JsonObject
            {
                ["name"] = tensor.Name,
                ["shape"] = tensor.Shape,
                ["type"] = tensor.Type,
                ["kernel"] = tensor.Kernel,
                ["count"] = tensor.Count,
                ["bytes"] = tensor.ByteCount,
            }),
        ]),
    }.ToJsonString(_readable));

    private static void WriteTensors(ModelInspection model, TextWriter output)
    {
        List<string[]> rows = [_header];
        rows.AddRange(model.Tensors.Select(tensor => new[]
        {
            PrintableLine.Of(tensor.Name), Number(tensor.Count), tensor.Shape, tensor.Type, ByteSize.Format(tensor.ByteCount), tensor.Kernel,
        }));
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))];
        foreach (var row in rows)
        {
            output.WriteLine(string.Join("  ", row.Select((cell, column) => column is 1 or 4 ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd());
        }
    }

    private static void WriteTemplate(ModelInspection model, TextWriter output)
    {
        output.WriteLine(model.TemplatePreview is null ? "No chat template: this model completes text." : "Chat template, of a user's Hello, an answer and a Bye:");
        foreach (var line in (model.TemplatePreview ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            output.WriteLine($"  {PrintableLine.Of(line)}");
        }
    }

    private static Dictionary<string, string> Defaults(SamplingDefaults defaults)
    {
        var shown = new Dictionary<string, string>();
        Add("temperature", defaults.Temperature);
        Add("top_p", defaults.TopP);
        Add("top_k", defaults.TopK);
        Add("min_p", defaults.MinP);
        Add("repetition_penalty", defaults.RepetitionPenalty);
        return shown;

        void Add(string name, IFormattable? value)
        {
            if (value is not null)
            {
                shown.Add(name, value.ToString(null, CultureInfo.InvariantCulture));
            }
        }
    }

    private static string Count(long count) => count switch
    {
        >= 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{count / 1e9:0.##} billion"),
        >= 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{count / 1e6:0.#} million"),
        _ => Number(count),
    };

    private static string Number(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Percent(double share) => share.ToString("0.#%", CultureInfo.InvariantCulture);
}
