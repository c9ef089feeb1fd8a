using System.Text.Json.Nodes;
using Serving.Cli.Bench;
using Serving.Cli.Bench.Peer;
using Serving.Engine.Kernels;
using Serving.Serving.Tests.Verify;
using Serving.TestKit;

namespace Serving.Serving.Tests.Bench;

[Collection(nameof(Measurements))]
public sealed class PeerTests
{
    [Theory]
    [InlineData("decode_9", "there is no case 'decode_9'. There are decode_1, decode_8, decode_32, prefill_512, moe_decode_1, moe_decode_8.")]
    [InlineData("", "there is no case ''")]
    public async Task A_case_that_is_not_there_is_named(string only, string expected)
    {
        var run = await CommandRun.Of("bench", "peer", "--only", only);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(expected, run.Error);
    }

    [Fact]
    public void Cases_keep_their_order() =>
        Assert.Equal(["decode_8", "moe_decode_1"], PeerCase.Select("moe_decode_1, decode_8").Select(one => one.Name));

    [Fact]
    public void A_missing_library_is_told_with_the_command_that_installs_it()
    {
        using var repository = new TemporaryFolder();
        var tools = Path.GetDirectoryName(repository.Touch("tests/tools/llama-cpp/package.json"));

        var error = Assert.Throws<BenchException>(() => PeerLibrary.Locate(null, repository.File("artifacts/bin")));

        Assert.Contains($"npm install --prefix {tools} --omit=optional --ignore-scripts --no-save --no-audit --no-fund", error.Message);
    }

    [Fact]
    public void The_library_is_found_in_the_folder_that_is_named()
    {
        using var build = new TemporaryFolder();
        build.Touch("libllama-common.so");
        Assert.Contains("there is no libllama", Assert.Throws<BenchException>(() => PeerLibrary.Locate(build.Root, "/")).Message);

        var library = build.Touch("libllama.so");

        Assert.Equal(library, PeerLibrary.Locate(build.Root, "/"));
        Assert.Equal(library, PeerLibrary.Locate(library, "/"));
    }

    [Fact]
    public async Task A_file_that_is_no_library_is_refused()
    {
        using var build = new TemporaryFolder();
        var library = build.Touch("libllama.so", "not a library");

        var run = await CommandRun.Of("bench", "peer", "--peer-lib", library);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("cannot be loaded", run.Error);
    }

    /// <summary>The structures that cross the border to C, of llama.cpp 0.5.0 on a 64-bit machine.</summary>
    [Fact]
    public unsafe void Structures_have_their_size()
    {
        Assert.Equal(80, sizeof(LlamaModelParams));
        Assert.Equal(160, sizeof(LlamaContextParams));
        Assert.Equal(56, sizeof(LlamaBatch));
    }

    [Fact]
    public void Json_holds_the_ratio_of_medians_beside_every_figure()
    {
        var result = new PeerResult(PeerCase.All[1], [30, 10, 20], [5, 6, 4], AgreeingStreams: 8) { Model = "m", ComputePath = "int8/avx2" };
        var output = new StringWriter();

        PeerReportWriter.WriteJson(Report([result]), output);

        var json = JsonNode.Parse(output.ToString())!;
        Assert.Equal("""{"decode_8":4}""", json["ratios"]!.ToJsonString());
        Assert.Equal("""{"rounds":[30,10,20],"median":20}""", json["cases"]!["decode_8"]!["ours"]!.ToJsonString());
        Assert.Equal("""{"rounds":[5,6,4],"median":5}""", json["cases"]!["decode_8"]!["llama_cpp"]!.ToJsonString());
        Assert.Equal("""{"name":"P","cores":2,"features":["avx2"]}""", json["processor"]!.ToJsonString());
        Assert.Equal("0.5.0", (string?)json["llama_cpp"]!["version"]);
        Assert.Equal(2, (int)json["settings"]!["threads"]!);
    }

    [Fact]
    public void The_table_has_a_line_for_each_case()
    {
        var output = new StringWriter();

        PeerReportWriter.WriteText(Report([new PeerResult(PeerCase.All[0], [200], [100], AgreeingStreams: 1)]), output);

        Assert.Matches(@"decode_1 .* 200\.0 \(200\.0–200\.0\) .*100\.0 .* 2\.00\n", output.ToString());
    }

    /// <summary>Both engines run, and compute the same model: where one misread the other's structures, the first tokens would differ.</summary>
    [Fact]
    public async Task Both_engines_answer_the_same_prompts()
    {
        Assert.SkipUnless(LlamaCpp.WhyMissing is null, LlamaCpp.WhyMissing ?? "");

        var run = await CommandRun.Of("bench", "peer", "--only", "moe_decode_8", "--rounds", "1", "--threads", "1", "--json");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var one = JsonNode.Parse(run.Output)!["cases"]!["moe_decode_8"]!;
        Assert.Equal("docs-moe-Q8_0", (string?)one["model"]);
        Assert.InRange((int)one["first_tokens_equal"]!, 6, 8);
        Assert.True((double)one["ratio"]! > 0);
    }

    private static PeerReport Report(IReadOnlyList<PeerResult> results) =>
        new(new BenchMachine("P", 2, ["avx2"]), KernelSelection.Default, "0.5.0", "CPU", "/lib/libllama.so", Threads: 2, Rounds: 3, results);
}
