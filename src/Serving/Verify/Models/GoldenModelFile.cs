using System.Globalization;

namespace Serving.Cli.Verify.Models;

/// <summary>
/// Reads the golden file of a model, in each of its shapes: a model folder's (<c>cases</c>), one of many GGUF files' (<c>files</c> by name), one of a model that chats
/// (<c>chat</c> and <c>texts</c>). Logits and texts lie in a safetensors file beside it.
/// </summary>
internal static class GoldenModelFile
{
    private const string Extension = ".golden.safetensors";

    /// <param name="path">The golden file.</param>
    /// <param name="model">The model's path: its file name chooses among several.</param>
    /// <exception cref="VerifyException">A file is missing or not in its form.</exception>
    public static GoldenModel Read(string path, string model)
    {
        using var golden = GoldenFile.Open(path);
        var root = golden.Root;
        if (root.Optional("files") is { } files)
        {
            var name = Path.GetFileName(model.TrimEnd('/'));
            using var tensors = GoldenTensors.Open(Path.Combine(Folder(path), Path.GetFileNameWithoutExtension(name) + Extension));
            var entry = files.Optional(name) ?? throw files.Wrong($"lacks the model file {name}");
            return new GoldenModel(Cases(entry.Required("cases"), tensors), [], [], entry.Optional("llama_cpp_max_difference")?.Real());
        }

        using var beside = GoldenTensors.Open(Path.Combine(Folder(path), Path.GetFileNameWithoutExtension(path) + ".safetensors"));
        return root.Optional("cases") is { } cases
            ? new GoldenModel(Cases(cases, beside), [], [], null)
            : new GoldenModel(Chats(root.Required("chat")), Texts(root.Required("texts"), beside), Tokens(root), null);
    }

    private static string Folder(string path) => Path.GetDirectoryName(Path.GetFullPath(path))!;

    private static GoldenCase[] Cases(GoldenField cases, GoldenTensors tensors) =>
    [
        .. cases.Items().Select((entry, index) =>
        {
            var greedy = Ids(entry, "greedy");
            var margin = (float)entry.Required("min_margin").Real();
            return new GoldenCase(
                Number(index), entry.Required("text").Text(), Ids(entry, "ids"), greedy, [.. greedy.Select(_ => margin)], tensors.Floats($"logits.{Number(index)}"));
        }),
    ];

    private static GoldenCase[] Chats(GoldenField chats) =>
    [
        .. chats.Items().Select((entry, index) =>
        {
            var greedy = Ids(entry, "greedy");
            float[] margins = [.. entry.Required("margins").Items().Select(margin => (float)margin.Real())];
            return margins.Length == greedy.Length
                ? new GoldenCase($"chat {Number(index)}", null, Ids(entry, "prompt_ids"), greedy, margins, [])
                : throw entry.Wrong($"has {greedy.Length} greedy tokens and {margins.Length} margins");
        }),
    ];

    private static GoldenText[] Texts(GoldenField texts, GoldenTensors tensors) =>
    [
        .. texts.Items().Select((entry, index) =>
        {
            var peer = entry.Required("llama_cpp");
            return new GoldenText(
                $"text {Number(index)}",
                tensors.Integers($"tokens.{Number(index)}", 1)[0],
                tensors.Integers($"top32.ids.{Number(index)}", 2),
                tensors.Floats($"top32.logprobs.{Number(index)}"),
                entry.Required("nll").Real(),
                peer.Required("mean_kl").Real(),
                peer.Required("top1_agreement").Real());
        }),
    ];

    private static GoldenTokens[] Tokens(GoldenField root) => root.Optional("tokenizer") is not { } rows
        ? []
        :
        [
            .. rows.Items().Select(row => new GoldenTokens(
                row.Required("text").Text(), Ids(row, "ids_parse_special"), row.Optional("ids_plain") is null ? null : Ids(row, "ids_plain"))),
        ];

    private static int[] Ids(GoldenField row, string column) => [.. row.Required(column).Items().Select(id => id.Number())];

    private static string Number(int index) => index.ToString(CultureInfo.InvariantCulture);
}
