using System.Text.Json;
using Serving.Engine.Execution;
using Serving.Engine.Execution.Cpu;
using Serving.Engine.Kernels;
using Serving.TestKit;

namespace Serving.Engine.Tests;

/// <summary>The fp32 path against the logits and tokens that transformers computed from the same weights.</summary>
public sealed class TinyModelTests
{
    private static readonly ModelLoadOptions _options = new() { ComputeClass = ComputeClass.Fp32, KvBlocks = 128, StepRowsMax = 256 };

    public static TheoryData<string> Families => [.. Directory.GetDirectories(GoldenFixtures.Path("models")).Select(folder => Path.GetFileName(folder)).Order()];

    [Theory]
    [MemberData(nameof(Families))]
    public void A_family_s_folder_gives_the_reference_logits_and_tokens(string family) => AssertMatches(
        GoldenFixtures.Path("models", family),
        GoldenFixtures.Json("models", family, "golden.json").GetProperty("cases"),
        GoldenFixtures.Tensors("models", family, "golden.safetensors"),
        tolerance: 2e-4f);

    [Theory]
    [InlineData("llama")]
    [InlineData("mixtral")]
    [InlineData("qwen2")]
    [InlineData("qwen2-moe")]
    [InlineData("qwen3")]
    public void Its_GGUF_twin_gives_the_same(string family) => AssertMatches(
        GoldenFixtures.Path("gguf", $"{family}-f32.gguf"),
        GoldenFixtures.Json("models", family, "golden.json").GetProperty("cases"),
        GoldenFixtures.Tensors("models", family, "golden.safetensors"),
        tolerance: 2e-4f);

    [Theory]
    [InlineData("tiny-256-Q4_1")]
    [InlineData("tiny-256-Q4_K_M")]
    [InlineData("tiny-256-Q5_K_M")]
    public void Quantised_llama_gives_the_reference_logits_and_tokens(string name) => AssertMatches(
        GoldenFixtures.Path("gguf", $"{name}.gguf"),
        GoldenFixtures.Json("gguf", "golden.json").GetProperty("files").GetProperty($"{name}.gguf").GetProperty("cases"),
        GoldenFixtures.Tensors("gguf", $"{name}.golden.safetensors"),
        tolerance: 1e-3f);

    private static void AssertMatches(string path, JsonElement caseElements, SafetensorsFile golden, float tolerance)
    {
        using var pool = new ComputePool(2);
        using CpuModelExecutor executor = ModelLoader.Load(path, _options, pool);
        GoldenCase[] cases = [.. caseElements.EnumerateArray().Select(element => GoldenFixtures.Case(element, "ids"))];
        for (int i = 0; i < cases.Length; i++)
        {
            Assert.InRange(LargestDifference(new StepDriver(executor), cases[i].PromptIds, golden, $"logits.{i}"), 0, tolerance);
        }

        Assert.Empty(GoldenGreedy.Differences(new StepDriver(executor), cases));
    }

    /// <summary>The golden logits are those of the last positions, or of all.</summary>
    private static float LargestDifference(StepDriver driver, int[] promptIds, SafetensorsFile golden, string name)
    {
        float[] expected = golden.Floats(name);
        int[] shape = golden.Shape(name);
        float[][] actual = [.. driver.AllLogits(promptIds).TakeLast(shape[0])];
        float largest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(expected[i] - actual[i / shape[1]][i % shape[1]]));
        }

        return largest;
    }
}
