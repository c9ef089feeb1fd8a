using Serving.Engine.Execution;
using Serving.Engine.Execution.Cpu;
using Serving.Engine.Kernels;

namespace Serving.Engine.Tests;

/// <summary>A row's result is bit-identical whatever else its step holds: without it, replay, preemption and hand-over change the text.</summary>
public sealed class BatchInvarianceTests : IDisposable
{
    private const int PromptTokens = 150;

    private readonly ComputePool _pool = new(2);

    public static TheoryData<string, ComputeClass> Models() => new()
    {
        { "llama-f32", ComputeClass.Fp32 },
        { "llama-f32", ComputeClass.Fast },
        { "tiny-256-Q4_1", ComputeClass.Fp32 },
        { "tiny-256-Q4_1", ComputeClass.Fast },
        { "tiny-256-Q4_K_M", ComputeClass.Fast },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void A_prompt_in_odd_pieces_equals_the_whole(string model, ComputeClass computeClass)
    {
        using CpuModelExecutor executor = Load(model, computeClass);
        int[] prompt = Tokens(seed: 1);
        float[] whole = RunWhole(executor, prompt);

        foreach (int[] pieces in new int[][] { [1, 149], [7, 16, 17, 1, 109], [64, 64, 22], [149, 1] })
        {
            var driver = new StepDriver(executor);
            TestSequence sequence = driver.NewSequence(PromptTokens);
            float[] logits = [];
            foreach (int piece in pieces)
            {
                logits = driver.Step(new TestRows(sequence, prompt[sequence.ComputedTokens..(sequence.ComputedTokens + piece)]))[0];
            }

            Assert.Equal(whole, logits);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Sequences_that_share_steps_do_not_touch_each_other(string model, ComputeClass computeClass)
    {
        using CpuModelExecutor executor = Load(model, computeClass);
        int[] first = Tokens(seed: 2);
        int[] second = Tokens(seed: 3);
        float[] firstAlone = RunWhole(executor, first);
        float[] secondAlone = RunWhole(executor, second);

        var driver = new StepDriver(executor);
        TestSequence a = driver.NewSequence(PromptTokens);
        TestSequence b = driver.NewSequence(PromptTokens);
        TestSequence other = driver.NewSequence(PromptTokens);
        driver.Step(new TestRows(a, first[..90]), new TestRows(b, second[..33]));
        driver.Step(new TestRows(other, Tokens(seed: 4)[..40]), new TestRows(b, second[33..149]), new TestRows(a, first[90..91]));
        float[][] last = driver.Step(new TestRows(a, first[91..]), new TestRows(other, [5]), new TestRows(b, second[149..]));

        Assert.Equal(firstAlone, last[0]);
        Assert.Equal(secondAlone, last[2]);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Kv_handed_to_another_executor_gives_the_same_bits(string model, ComputeClass computeClass)
    {
        using CpuModelExecutor prefill = Load(model, computeClass);
        using CpuModelExecutor decode = Load(model, computeClass);
        int[] prompt = Tokens(seed: 5);
        float[] whole = RunWhole(prefill, prompt);

        var driver = new StepDriver(prefill);
        TestSequence source = driver.NewSequence(PromptTokens);
        driver.Step(new TestRows(source, prompt[..^1]));
        var decodeDriver = new StepDriver(decode);
        decodeDriver.NewSequence(40); // So that the blocks have other numbers there.
        TestSequence target = decodeDriver.NewSequence(PromptTokens);
        HandOver(prefill, source, decode, target);
        float[] logits = decodeDriver.Step(new TestRows(target, prompt[^1..]))[0];

        Assert.Equal(prefill.Model.KvFingerprint, decode.Model.KvFingerprint);
        Assert.Equal(whole, logits);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void The_number_of_threads_changes_no_bit(int threads)
    {
        using CpuModelExecutor executor = Load("tiny-256-Q4_1", ComputeClass.Fast);
        using var otherPool = new ComputePool(threads);
        using CpuModelExecutor other = Load("tiny-256-Q4_1", ComputeClass.Fast, otherPool);

        Assert.Equal(RunWhole(executor, Tokens(seed: 6)), RunWhole(other, Tokens(seed: 6)));
    }

    public void Dispose() => _pool.Dispose();

    private static float[] RunWhole(CpuModelExecutor executor, int[] prompt)
    {
        var driver = new StepDriver(executor);
        return driver.Step(new TestRows(driver.NewSequence(prompt.Length), prompt))[0];
    }

    private static void HandOver(CpuModelExecutor from, TestSequence source, CpuModelExecutor to, TestSequence target)
    {
        int blockSize = from.KvLayout.BlockSize;
        for (int layer = 0; layer < from.Model.Layers; layer++)
        {
            for (int block = 0; block * blockSize < source.ComputedTokens; block++)
            {
                int slots = Math.Min(blockSize, source.ComputedTokens - (block * blockSize));
                var bytes = new byte[slots * from.KvLayout.BytesPerTokenPerLayer];
                from.ExportBlock(layer, source.Blocks[block], slots, bytes);
                to.ImportBlock(layer, target.Blocks[block], slots, bytes);
            }
        }

        target.ComputedTokens = source.ComputedTokens;
    }

    private static int[] Tokens(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, PromptTokens).Select(_ => random.Next(640))];
    }

    private CpuModelExecutor Load(string model, ComputeClass computeClass, ComputePool? pool = null) => ModelLoader.Load(
        GoldenFixtures.Path("gguf", $"{model}.gguf"),
        new ModelLoadOptions { ComputeClass = computeClass, KvBlocks = 64, StepRowsMax = 200 },
        pool ?? _pool);
}
