using System.Text.Json;
using System.Text.Json.Nodes;
using Serving.TestKit;

namespace Serving.Serving.Tests.Verify;

/// <summary>Every fixture through the command, as a user would run it.</summary>
public sealed class ModelVerifyTests : IDisposable
{
    private static readonly string _fixtures = Path.Combine(Repository.Root, "tests", "Engine.Tests", "Fixtures");
    private static readonly string _models = Path.Combine(Repository.Root, "models");

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Families => [.. Directory.GetDirectories(Path.Combine(_fixtures, "models")).Select(folder => Path.GetFileName(folder)).Order()];

    public static TheoryData<string> Quantised => [.. Directory.GetFiles(Path.Combine(_fixtures, "gguf"), "tiny-*.gguf").Select(file => Path.GetFileName(file)).Order()];

    public static TheoryData<string> Twins => [.. Directory.GetFiles(Path.Combine(_fixtures, "gguf"), "*-f32.gguf").Select(file => Path.GetFileName(file)).Order()];

    public static TheoryData<string, string> Chatting => new() { { "smollm2-135m-instruct", "smollm2" }, { "docs-moe", "docs-moe" } };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Families))]
    public async Task Every_family_s_folder_gives_the_reference_s_logits_and_tokens(string family)
    {
        var report = await PassAsync(Folder(family), GoldenOf(family));
        Assert.InRange(report["largest_logit_error"]!.GetValue<double>(), 0, 2e-4);
        Assert.Equal((128, 128), (report["greedy"]!.GetValue<int>(), report["greedy_matched"]!.GetValue<int>()));
        Assert.Equal("fp32", report["compute"]!.GetValue<string>());
    }

    [Theory]
    [MemberData(nameof(Families))]
    public async Task Every_family_s_fast_path_is_near_fp32(string family)
    {
        var report = await PassAsync(Folder(family), GoldenOf(family), "--compute", "fast");
        Assert.InRange(report["mean_kl"]!.GetValue<double>(), 0, 0.05);
        Assert.StartsWith("int8-blocks", report["compute"]!.GetValue<string>());
    }

    [Theory]
    [MemberData(nameof(Twins))]
    public async Task A_GGUF_twin_gives_what_the_folder_gives(string file) =>
        await PassAsync(Path.Combine(_fixtures, "gguf", file), GoldenOf(file[..^"-f32.gguf".Length]));

    [Theory]
    [MemberData(nameof(Quantised))]
    public async Task A_quantised_file_gives_the_dequantised_weights_logits(string file)
    {
        var path = Path.Combine(_fixtures, "gguf", file);
        var golden = Path.Combine(_fixtures, "gguf", "golden.json");

        var fp32 = await PassAsync(path, golden);
        Assert.InRange(fp32["largest_logit_error"]!.GetValue<double>(), 0, 1e-3);

        var fast = await PassAsync(path, golden, "--compute", "fast");
        Assert.InRange(fast["largest_logit_error"]!.GetValue<double>(), 0, fast["llama_cpp_largest_logit_error"]!.GetValue<double>());
    }

    [Theory]
    [MemberData(nameof(Chatting))]
    public async Task The_models_of_the_repository_pass_on_both_paths(string model, string golden)
    {
        var fp32 = await PassAsync(Path.Combine(_models, model), Path.Combine(_fixtures, golden, "golden.json"));
        Assert.Equal(fp32["greedy"]!.GetValue<int>(), fp32["greedy_matched"]!.GetValue<int>());

        var fast = await PassAsync(Path.Combine(_models, model), Path.Combine(_fixtures, golden, "golden.json"), "--compute", "fast");
        Assert.InRange(fast["mean_kl"]!.GetValue<double>(), 0, fast["mean_kl_allowed"]!.GetValue<double>());
        Assert.InRange(fast["top1_agreement"]!.GetValue<double>(), fast["top1_agreement_asked"]!.GetValue<double>(), 1);
    }

    [Theory]
    [MemberData(nameof(Chatting))]
    public async Task A_KV_cache_of_bytes_is_near_one_of_halves(string model, string golden)
    {
        string[] fast = ["--compute", "fast", "--kv-type"];
        var halves = await PassAsync(Path.Combine(_models, model), Path.Combine(_fixtures, golden, "golden.json"), [.. fast, "fp16"]);
        var bytes = await PassAsync(Path.Combine(_models, model), Path.Combine(_fixtures, golden, "golden.json"), [.. fast, "int8"]);

        Assert.NotEqual(halves["mean_kl"]!.GetValue<double>(), bytes["mean_kl"]!.GetValue<double>());
        Assert.InRange(bytes["mean_kl"]!.GetValue<double>() - halves["mean_kl"]!.GetValue<double>(), -0.002, 0.002);
    }

    [Fact]
    public async Task A_miss_is_said_with_figures_and_ends_with_exit_code_1()
    {
        var golden = ChangedGolden(root =>
        {
            root["cases"]![0]!["greedy"]![3] = 17;
            root["cases"]![1]!["min_margin"] = 0.5;
        });

        var run = await CommandRun.Of("model", "verify", Folder("llama"), "--golden", golden);

        Assert.Equal((1, ""), (run.ExitCode, run.Error));
        Assert.Contains("case 0: largest logit error ", run.Output);
        Assert.Contains("greedy tokens are others than recorded.", run.Output);
        Assert.EndsWith("Failed." + Environment.NewLine, run.Output);
    }

    [Fact]
    public async Task Another_model_s_golden_file_is_refused()
    {
        var run = await CommandRun.Of("model", "verify", Path.Combine(_models, "docs-moe"), "--golden", GoldenOf("llama"));

        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains("it is another model's.", run.Error);
    }

    [Theory]
    [InlineData("{}", "lacks the field 'chat'")]
    [InlineData("[]", "the root is a list where an object is expected")]
    [InlineData("{\"files\": {}}", "lacks the model file")]
    public async Task A_broken_golden_file_is_named_with_its_field(string json, string expected)
    {
        var golden = _folder.Touch("golden.json", json);
        File.Copy(Path.Combine(_fixtures, "models", "llama", "golden.safetensors"), _folder.File("golden.safetensors"));
        File.Copy(Path.Combine(_fixtures, "models", "llama", "golden.safetensors"), _folder.File("llama.golden.safetensors"));

        var run = await CommandRun.Of("model", "verify", Folder("llama"), "--golden", golden);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(expected, run.Error);
    }

    [Fact]
    public async Task A_model_that_is_none_is_refused_in_one_line()
    {
        var run = await CommandRun.Of("model", "verify", Path.Combine(Repository.Root, "README.md"), "--golden", GoldenOf("llama"));

        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains("this is no GGUF file", run.Error);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }

    private static string Folder(string family) => Path.Combine(_fixtures, "models", family);

    private static string GoldenOf(string family) => Path.Combine(Folder(family), "golden.json");

    private static async Task<JsonNode> PassAsync(string model, string golden, params string[] options)
    {
        var run = await CommandRun.Of(["model", "verify", model, "--golden", golden, "--json", .. options]);
        Assert.Equal("", run.Error);
        var report = JsonNode.Parse(run.Output)!;
        Assert.True(run.ExitCode == 0 && report["passed"]!.GetValue<bool>(), run.Output);
        return report;
    }

    private string ChangedGolden(Action<JsonNode> change)
    {
        var root = JsonNode.Parse(File.ReadAllText(GoldenOf("llama")))!;
        change(root);
        File.Copy(Path.Combine(Folder("llama"), "golden.safetensors"), _folder.File("golden.safetensors"));
        return _folder.Touch("golden.json", root.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
    }
}
