using System.Text.RegularExpressions;
using Serving.Engine.Execution;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;
using Serving.Engine.Kernels;
using Serving.Engine.Models;
using Serving.Text.Templates;

namespace Serving.Cli.Inspect;

/// <summary>What a model is and what it will take to run it.</summary>
internal sealed partial record ModelInspection
{
    private const string NoKernel = "-";
    private const string LookUp = "look-up";

    public required string Path { get; init; }

    public required string Format { get; init; }

    public required ModelConfig Config { get; init; }

    public required long FileBytes { get; init; }

    public required long Parameters { get; init; }

    /// <summary>The element formats by their share of the bytes.</summary>
    public required IReadOnlyList<(string Type, double Share)> Types { get; init; }

    public required ModelFootprint Footprint { get; init; }

    public required string ComputePath { get; init; }

    public required int KvBytesPerToken { get; init; }

    public required int Tokens { get; init; }

    public required IReadOnlyList<string> EndTokens { get; init; }

    public required SamplingDefaults SamplingDefaults { get; init; }

    /// <summary>A short conversation as the template renders it; null for a model that only completes text.</summary>
    public required string? TemplatePreview { get; init; }

    public required IReadOnlyList<TensorGroup> Tensors { get; init; }

    /// <param name="compute">The path to look at.</param>
    /// <param name="groups">Whether tensors that differ by their numbers only are one line.</param>
    /// <exception cref="ModelFormatException">The model cannot be run.</exception>
    public static ModelInspection Of(ModelSource source, ComputeClass compute, bool groups)
    {
        var graph = ModelGraph.Build(source);
        var options = new ModelLoadOptions { ComputeClass = compute, KvBlocks = 1 };
        var footprint = ModelFootprint.Estimate(source, options);
        var text = source.ReadText();
        var numericClass = ModelLoader.CreateClass(compute);
        return new ModelInspection
        {
            Path = source.Path,
            Format = source.Format == ModelFormat.Gguf ? "GGUF" : "Hugging Face folder",
            Config = graph.Config,
            FileBytes = source.ByteCount,
            Parameters = source.Tensors.Where(tensor => BlockDecoder.HoldsWeights(tensor.Type)).Sum(Elements),
            Types = TypesByShare(source),
            Footprint = footprint,
            ComputePath = numericClass.Name,
            KvBytesPerToken = (int)(footprint.KvBytesPerBlock / options.BlockSize),
            Tokens = text.Tokenizer.VocabularySize,
            EndTokens = [.. text.Tokenizer.EndOfGenerationIds.Order().Select(id => $"{text.Tokenizer.Decode([id], skipSpecial: false)} ({id})")],
            SamplingDefaults = text.SamplingDefaults,
            TemplatePreview = Preview(text),
            Tensors = GroupTensors(source, Kernels(graph, numericClass), groups),
        };
    }

    private static long Elements(ModelTensor tensor) => tensor.Shape.Aggregate(1L, (product, dimension) => product * dimension);

    private static List<(string Type, double Share)> TypesByShare(ModelSource source)
    {
        double total = source.Tensors.Sum(tensor => tensor.ByteCount);
        return
        [
            .. source.Tensors.GroupBy(tensor => tensor.Type)
                .Select(group => (group.Key.ToString(), group.Sum(tensor => tensor.ByteCount) / total))
                .OrderByDescending(type => type.Item2),
        ];
    }

    /// <summary>The kernels of each matrix, by the name of its tensor: more than one where its parts differ. One row of each is packed, which says what all of it will be.</summary>
    private static Dictionary<string, string> Kernels(ModelGraph graph, NumericClass numericClass)
    {
        var isFactor = graph.FindFactors();
        var byLayout = new Dictionary<(GgmlType, int), string>();
        var kernels = new Dictionary<string, string>();
        foreach (var matrix in graph.Matrices)
        {
            var layout = (matrix.Data.Layout.Type, matrix.Inputs);
            if (!isFactor[matrix.Index])
            {
                kernels[matrix.Name] = LookUp;
                continue;
            }

            if (!byLayout.TryGetValue(layout, out var kernel))
            {
                kernel = byLayout[layout] = matrix.Data.Read(rows =>
                {
                    using var row = numericClass.Pack(rows with { Outputs = 1, ByteCount = rows.ByteCount / rows.Outputs });
                    return row.KernelName;
                });
            }

            // A part's name is its tensor's and what follows in brackets.
            var tensor = matrix.Name.Split('[')[0];
            var known = kernels.GetValueOrDefault(tensor, kernel);
            kernels[tensor] = known.Split(", ").Contains(kernel) ? known : $"{known}, {kernel}";
        }

        return kernels;
    }

    private static List<TensorGroup> GroupTensors(ModelSource source, Dictionary<string, string> kernels, bool groups) =>
    [
        .. source.Tensors
            .Select(tensor => (Tensor: tensor, Name: groups ? Number().Replace(tensor.Name, ".*.") : tensor.Name, Kernel: kernels.GetValueOrDefault(tensor.Name, NoKernel)))
            .GroupBy(one => (one.Name, one.Tensor.ShapeText, one.Tensor.Type, one.Kernel))
            .Select(group => new TensorGroup(
                group.Key.Name, group.Key.ShapeText, group.Key.Type.ToString(), group.Key.Kernel, group.Count(), group.Sum(one => one.Tensor.ByteCount))),
    ];

    private static string? Preview(ModelText text)
    {
        if (text.ChatTemplate is null)
        {
            return null;
        }

        try
        {
            return ChatTemplate.Parse(text.ChatTemplate).Render(new ChatTemplateInput
            {
                MessagesJson = """[{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi!"}, {"role": "user", "content": "Bye"}]"""u8.ToArray(),
                AddGenerationPrompt = true,
                BosToken = Text(text.Tokenizer.BeginOfTextId),
                EosToken = Text(text.Tokenizer.EndOfTextId),
            }).Text;
        }
        catch (TemplateException e)
        {
            return $"(the template cannot render a plain conversation: {e.Message})";
        }

        string? Text(int? id) => id is { } token ? text.Tokenizer.Decode([token], skipSpecial: false) : null;
    }

    [GeneratedRegex(@"\.\d+\.")]
    private static partial Regex Number();
}
