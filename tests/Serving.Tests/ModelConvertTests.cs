using System.Text.Json;
using System.Text.Json.Nodes;
using Serving.Serving.Tests.Verify;
using Serving.TestKit;

namespace Serving.Serving.Tests;

/// <summary>What the command writes is held against the folder's golden file by our own fp32 path and by llama.cpp.</summary>
public sealed class ModelConvertTests : IDisposable
{
    private static readonly string _families = Path.Combine(Repository.Root, "tests", "Engine.Tests", "Fixtures", "models");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("llama")]
    [InlineData("llama-linear-yarn")]
    [InlineData("llama-rope3")]
    [InlineData("mixtral")]
    [InlineData("phi3")]
    [InlineData("qwen2")]
    [InlineData("qwen2-moe")]
    [InlineData("qwen3")]
    public async Task A_family_s_folder_is_the_same_model_as_GGUF(string family)
    {
        var file = await ConvertAsync(family, "f32");
        var golden = Path.Combine(_families, family, "golden.json");

        var verified = await CommandRun.Of("model", "verify", file, "--golden", golden);
        Assert.True(verified.ExitCode == 0, verified.Output + verified.Error);

        Assert.SkipUnless(LlamaCpp.WhyMissing is null, LlamaCpp.WhyMissing ?? "");
        using var recorded = JsonDocument.Parse(await File.ReadAllTextAsync(golden, TestContext.Current.CancellationToken));
        JsonElement[] cases = [.. recorded.RootElement.GetProperty("cases").EnumerateArray()];
        var answer = await LlamaCpp.RunAsync(
            file,
            [.. cases.Select(row => new LlamaCppCase(Ids(row, "ids"), row.GetProperty("greedy").GetArrayLength()))],
            [.. cases.Select(row => row.GetProperty("text").GetString()!)],
            TestContext.Current.CancellationToken);
        Assert.Equal(cases.Select(row => Ids(row, "greedy")), answer.Greedy);
        Assert.Equal(cases.Select(row => Ids(row, "ids")[1..]), answer.Tokens);
    }

    [Theory]
    [InlineData("deepseek-v3", "model_type")]
    [InlineData("gemma3", "query_pre_attn_scalar")]
    [InlineData("gpt-oss", "model_type")]
    [InlineData("mistral-sliding", "sliding_window")]
    [InlineData("olmoe", "clip_qkv")]
    [InlineData("qwen3-moe", "mlp_only_layers")]
    [InlineData("smollm3", "no_rope_layers")]
    public async Task What_llama_cpp_cannot_express_is_refused_by_name(string family, string setting)
    {
        var file = _folder.File("out.gguf");

        var run = await CommandRun.Of("model", "convert", Path.Combine(_families, family), file);

        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains($"config.json: {setting} cannot be written as GGUF: ", run.Error);
        Assert.False(File.Exists(file));
    }

    [Theory]
    [InlineData("q8_0", "Q8_0")]
    [InlineData("q4_1", "Q4_1")]
    [InlineData("bf16", "BF16")]
    public async Task Matrices_get_the_format_that_was_asked_for(string type, string expected)
    {
        var file = await ConvertAsync("qwen3", type);

        var inspected = await CommandRun.Of("model", "inspect", file, "--json");
        var tensors = JsonNode.Parse(inspected.Output)!["tensors"]!.AsArray();
        Assert.Equal(expected, TypeOf("blk.*.ffn_down.weight"));
        Assert.Equal("F32", TypeOf("blk.*.attn_norm.weight"));
        Assert.Equal(type == "bf16" ? "BF16" : "Q8_0", TypeOf("token_embd.weight"));

        string TypeOf(string name) => tensors.Single(tensor => tensor!["name"]!.GetValue<string>() == name)!["type"]!.GetValue<string>();
    }

    [Fact]
    public async Task A_file_that_is_there_is_replaced_on_request_only()
    {
        var file = _folder.Touch("out.gguf", "mine");

        var refused = await CommandRun.Of("model", "convert", Path.Combine(_families, "llama"), file);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("is there already: --force replaces it", refused.Error);
        Assert.Equal("mine", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));

        Assert.Equal(0, (await CommandRun.Of("model", "convert", Path.Combine(_families, "llama"), file, "--force")).ExitCode);
    }

    [Fact]
    public async Task An_unknown_format_and_a_path_that_is_no_folder_are_refused()
    {
        var type = await CommandRun.Of("model", "convert", Path.Combine(_families, "llama"), _folder.File("out.gguf"), "--type", "q9");
        Assert.Equal(1, type.ExitCode);
        Assert.Contains("f32, f16, bf16, q4_0", type.Error);

        var path = await CommandRun.Of("model", "convert", Repository.DefaultModel, _folder.File("out.gguf"));
        Assert.Equal(1, path.ExitCode);
        Assert.Contains("has no config.json", path.Error);
    }

    private static int[] Ids(JsonElement row, string name) => [.. row.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];

    private async Task<string> ConvertAsync(string family, string type)
    {
        var file = _folder.File($"{family}.gguf");
        var run = await CommandRun.Of("model", "convert", Path.Combine(_families, family), file, "--type", type);
        Assert.True(run.ExitCode == 0, run.Error);
        return file;
    }
}
