using System.Text.Json.Nodes;
using Serving.Serving.Tests.Verify;
using Serving.TestKit;

namespace Serving.Serving.Tests;

public sealed class ModelInspectTests
{
    private static readonly string _fixtures = Path.Combine(Repository.Root, "tests", "Engine.Tests", "Fixtures");

    [Fact]
    public async Task Shows_what_the_default_mixture_of_experts_is()
    {
        var run = await CommandRun.Of("model", "inspect", Path.Combine(Repository.Root, "models", "docs-moe"));

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("qwen3moe: 6 layers, 256 wide, 4 heads, 2 KV heads of 64", run.Output);
        Assert.Contains("22.2 million", run.Output);
        Assert.Contains("<|im_end|> (2)", run.Output);
        Assert.Matches(@"blk\.\*\.ffn_up_exps\.weight\s+6\s+\[32, 128, 256\]\s+Q8_0\s+6\.4 MiB\s+q8_0·int8/", run.Output);
        Assert.Contains("  <|im_start|>assistant", run.Output);
    }

    [Fact]
    public async Task Lists_every_tensor_on_request()
    {
        var run = await CommandRun.Of("model", "inspect", Path.Combine(_fixtures, "models", "llama"), "--tensors", "--compute", "fp32");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("model.layers.2.mlp.up_proj.weight ", run.Output);
        Assert.DoesNotContain("*", run.Output);
    }

    [Theory]
    [InlineData("deepseek-v3")]
    [InlineData("gpt-oss")]
    [InlineData("qwen2-moe")]
    public async Task Says_the_kernel_of_each_matrix_and_counts_parameters_as_json(string family)
    {
        var run = await CommandRun.Of("model", "inspect", Path.Combine(_fixtures, "models", family), "--tensors", "--json");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var model = JsonNode.Parse(run.Output)!;
        var tensors = model["tensors"]!.AsArray();
        Assert.Equal(model["parameters"]!.GetValue<long>(), tensors.Sum(tensor => tensor!["bytes"]!.GetValue<long>()) / 2);
        Assert.All(
            tensors.Where(tensor => tensor!["name"]!.GetValue<string>().EndsWith("_proj.weight", StringComparison.Ordinal)),
            tensor => Assert.StartsWith("bf16·", tensor!["kernel"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("mixtral", "look-up")]
    [InlineData("qwen3", "bf16·")]
    public async Task An_embedding_that_is_not_the_output_as_well_is_only_looked_up(string family, string expected)
    {
        var run = await CommandRun.Of("model", "inspect", Path.Combine(_fixtures, "models", family));

        Assert.Contains(expected, run.Output.Split('\n').Single(line => line.StartsWith("model.embed_tokens.weight", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_folder_that_is_no_model_is_refused()
    {
        var run = await CommandRun.Of("model", "inspect", Path.Combine(Repository.Root, "src"));

        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains("the folder has neither config.json nor a .gguf file", run.Error);
    }
}
