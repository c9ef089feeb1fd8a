using System.Text.Json.Nodes;
using Serving.Cli.Bench;
using Serving.Cli.Bench.Engine;
using Serving.Engine.Execution;
using Serving.Engine.Formats;
using Serving.Engine.Models;
using Serving.Serving.Tests.Verify;
using Serving.TestKit;

namespace Serving.Serving.Tests.Bench;

[Collection(nameof(Measurements))]
public sealed class EngineBenchTests
{
    private static readonly string _moe = Path.Combine(Repository.Root, "models", "docs-moe");

    [Fact]
    public async Task Measures_every_size_that_is_asked_for_and_draws_it()
    {
        using var folder = new TemporaryFolder();
        var plot = folder.File("engine.png");

        var run = await CommandRun.Of(
            "bench", "engine", "--model", "docs-moe", "--streams", "1,3", "--chunks", "256", "--answer-tokens", "8", "--rounds", "1", "--threads", "1", "--plot", plot, "--json");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var json = JsonNode.Parse(run.Output)!;
        var figures = json["figures"]!.AsArray();
        Assert.Equal(["prefill 256", "decode 1", "decode 3"], figures.Select(figure => $"{figure!["phase"]} {figure["rows"]}"));
        Assert.All(figures, figure => Assert.All(["tokens_per_second", "step_ms", "weight_gb_per_second", "gop_per_second"], name => Assert.True((double)figure![name]! > 0, name)));
        Assert.True((double)json["bounds"]!["memory_gb_per_second"]! > 0);
        // Blocks of 16 tokens, K and V of two heads of 64 in six layers, fp16.
        Assert.Equal(0, (long)json["memory"]!["kv_pool_bytes"]! % (16 * 6 * 2 * 2 * 64 * 2));
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], (await File.ReadAllBytesAsync(plot, TestContext.Current.CancellationToken))[..4]);
    }

    [Fact]
    public async Task The_table_names_the_bounds()
    {
        var run = await CommandRun.Of(
            "bench", "engine", "--model", _moe, "--streams", "2", "--chunks", "512", "--answer-tokens", "4", "--rounds", "1", "--threads", "1", "--compute", "fp32");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Matches(@"bounds +memory \d+\.\d GB/s \(plain read\); .* GOP/s", run.Output);
        Assert.Contains("KV in Float32", run.Output);
        Assert.Matches(@"decode +2 ", run.Output);
    }

    [Theory]
    [InlineData("--streams 0", "--streams 0 is no list of numbers from 1 to 1024")]
    [InlineData("--streams 1,x", "--streams 1,x is no list of numbers")]
    [InlineData("--chunks 16,1024", "--chunks 16,1024 is no list of numbers from 1 to 512")]
    [InlineData("--plot engine.svg", "--plot engine.svg is not a .png file")]
    [InlineData("--answer-tokens 0", "--answer-tokens 0 is out of range")]
    public void A_mistake_is_named_with_its_option(string options, string expected)
    {
        var errors = Cli.Commands.ServingCommand.Create().Parse(["bench", "engine", .. options.Split(' ')]).Errors;

        Assert.Contains(expected, Assert.Single(errors).Message);
    }

    [Fact]
    public async Task A_prompt_that_does_not_fit_the_model_is_refused()
    {
        var run = await CommandRun.Of("bench", "engine", "--model", "docs-moe", "--streams", "1", "--chunks", "512", "--prompt-tokens", "3000", "--rounds", "1");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("The prompt has 3000 tokens", run.Error);
    }

    /// <summary>docs-moe: 6 layers of 32 experts, 4 of them for a token, three matrices of 256 × 128 each.</summary>
    [Fact]
    public void Experts_are_read_as_often_as_a_fair_router_chooses_them()
    {
        using var source = ModelSource.Open(_moe);
        var work = new ModelWork(ModelGraph.Build(source), ModelLoader.CreateClass(ComputeClass.Fast));
        const double ExpertWeights = 6 * 32 * 3 * 256 * 128;

        var rest = work.Operations(1, 0) - (2 * ExpertWeights * 4 / 32);
        var dense = 6.0 * ((256 * 256) + (2 * 128 * 256) + (256 * 256) + (32 * 256));
        Assert.Equal(2 * dense, rest, 1e-3);
        Assert.Equal(work.Operations(1, 0) + (2.0 * 8192 * 256), work.Operations(1, 1), 1e-3);

        // With so many rows every expert is chosen, with one an eighth of them.
        var all = work.BytesRead(1e6, 0);
        Assert.Equal(7.0 / 8, (all - work.BytesRead(1, 0)) / (all - work.BytesRead(0, 0)), 1e-6);
    }
}
