using System.Text.RegularExpressions;
using Serving.Cli.Inspect;
using Serving.Engine.Execution;
using Serving.Engine.Formats;
using Serving.Serving.Tests.Verify;
using Serving.TestKit;

namespace Serving.Serving.Tests;

/// <summary>
/// What the class that serves multiplies with, for each matrix of each model that lies in the repository: quantised blocks by integers as their file holds them, floats of
/// two bytes as two bytes. Whatever becomes fp32 on the way costs two to eight times the memory traffic, and would show in no other test.
/// </summary>
public sealed partial class FastPathTests : IDisposable
{
    private static readonly string _fixtures = Path.Combine(Repository.Root, "tests", "Engine.Tests", "Fixtures");

    /// <summary>What stays fp32 in a model of narrower weights, and why.</summary>
    private static readonly (Regex Tensor, string Why)[] _fp32 =
    [
        (Routers(), "llama.cpp's files hold routers in F32: a small error changes which experts run, and docs-moe's, the largest share of all, are 0.2 % of its weights"),
    ];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Models =>
    [
        .. new[] { Path.Combine(Repository.Root, "models"), _fixtures }
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            .Where(file => file.EndsWith(".gguf", StringComparison.Ordinal) || (Path.GetFileName(file) == "config.json" && Directory.EnumerateFiles(Path.GetDirectoryName(file)!, "*.safetensors").Any()))
            .Select(file => Path.GetRelativePath(Repository.Root, file.EndsWith(".gguf", StringComparison.Ordinal) ? file : Path.GetDirectoryName(file)!))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Models))]
    public void No_matrix_of_a_model_falls_back_to_fp32(string model) => Check(Path.Combine(Repository.Root, model));

    [Fact]
    public void The_models_that_ship_and_every_family_are_looked_at()
    {
        string[] models = [.. Models.Select(row => row.Data)];

        Assert.Equal(2, models.Count(model => model.StartsWith("models", StringComparison.Ordinal)));
        Assert.Superset(
            Directory.GetDirectories(Path.Combine(_fixtures, "models")).Select(folder => Path.GetRelativePath(Repository.Root, folder)).ToHashSet(),
            models.ToHashSet());
    }

    [Theory]
    [InlineData("q4_0")]
    [InlineData("q4_1")]
    [InlineData("q5_0")]
    [InlineData("q5_1")]
    [InlineData("q8_0")]
    [InlineData("q4_k")]
    [InlineData("q5_k")]
    [InlineData("q6_k")]
    public async Task No_matrix_of_a_converted_family_falls_back_to_fp32(string type)
    {
        foreach (var family in new[] { "llama", "mixtral", "phi3", "qwen2", "qwen2-moe", "qwen3" })
        {
            var file = _folder.File($"{family}-{type}.gguf");
            var run = await CommandRun.Of("model", "convert", Path.Combine(_fixtures, "models", family), file, "--type", type);
            Assert.True(run.ExitCode == 0, run.Error);
            Check(file);
        }
    }

    public void Dispose() => _folder.Dispose();

    private static void Check(string path)
    {
        using var source = ModelSource.Open(path);
        var model = ModelInspection.Of(source, ComputeClass.Fast, groups: false);
        var isFp32 = source.Tensors.Where(tensor => tensor.Shape.Count > 1).All(tensor => tensor.Type == GgmlType.F32);
        Assert.NotEmpty(model.Tensors);
        Assert.All(model.Tensors, tensor =>
        {
            var type = tensor.Type.ToLowerInvariant();
            var expected = tensor.Type switch
            {
                _ when tensor.Kernel is "-" or "look-up" => tensor.Kernel,
                "F16" or "BF16" => $"{type}·fp32/rows",
                "F32" when isFp32 || _fp32.Any(exception => exception.Tensor.IsMatch(tensor.Name)) => "f32·fp32/rows",
                "F32" => "a narrower format, or an entry in the list of what stays fp32",
                _ => $"{type}·int8/{model.ComputePath.Split('/')[1]}",
            };
            Assert.Equal((tensor.Name, expected), (tensor.Name, tensor.Kernel));

            // What is not multiplied with is added or looked up: vectors, a table, and the biases of experts, a row each.
            Assert.True(tensor.Kernel != "-" || !tensor.Shape.Contains(',') || tensor.Name.EndsWith("_bias", StringComparison.Ordinal), tensor.Name);
        });
    }

    [GeneratedRegex(@"^blk\.\d+\.ffn_gate_inp(_shexp)?\.weight$")]
    private static partial Regex Routers();
}
