using Serving.Engine.Execution;
using Serving.Engine.Execution.Cpu;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;
using Serving.TestKit;

namespace Serving.Engine.Tests;

public sealed class CpuModelExecutorTests : IDisposable
{
    private static readonly string _path = GoldenFixtures.Path("gguf", "llama-f32.gguf");
    private readonly ComputePool _pool = new(2);

    [Theory]
    [InlineData(ComputeClass.Fp32)]
    [InlineData(ComputeClass.Fast)]
    public void A_step_allocates_nothing(ComputeClass computeClass)
    {
        using CpuModelExecutor executor = Load(new ModelLoadOptions { ComputeClass = computeClass, KvBlocks = 16 });
        var plan = new StepPlan(64, 4, executor.Model.VocabularySize);
        BlockId[] blocks = [new(0), new(1), new(2), new(3)];
        int[] prompt = [.. Enumerable.Range(1, 40)];

        Assert.Equal(0, SteadyState.AllocatedBytes(() =>
        {
            Prefill();
            Decode(40);
        }));

        void Prefill()
        {
            plan.Clear();
            plan.Add(prompt, 0, blocks, wantsLogits: false);
            executor.Execute(plan);
        }

        void Decode(int position)
        {
            plan.Clear();
            plan.Add([7], position, blocks, wantsLogits: true);
            executor.Execute(plan);
        }
    }

    [Theory]
    [InlineData("gguf/llama-f32.gguf", ComputeClass.Fp32)]
    [InlineData("gguf/llama-f32.gguf", ComputeClass.Fast)]
    [InlineData("gguf/tiny-256-Q4_1.gguf", ComputeClass.Fast)]
    [InlineData("gguf/tiny-256-Q4_K_M.gguf", ComputeClass.Fast)]
    [InlineData("models/deepseek-v3", ComputeClass.Fp32)]
    [InlineData("models/gpt-oss", ComputeClass.Fast)]
    [InlineData("models/mixtral", ComputeClass.Fast)]
    public void The_footprint_is_known_before_loading(string model, ComputeClass computeClass)
    {
        var options = new ModelLoadOptions { ComputeClass = computeClass, KvBlocks = 16 };
        using ModelSource file = ModelSource.Open(GoldenFixtures.Path(model.Split('/')));
        using CpuModelExecutor executor = ModelLoader.Load(file, options, _pool);

        ModelFootprint footprint = ModelFootprint.Estimate(file, options);

        Assert.Equal(executor.WeightBytes, footprint.WeightBytes);
        Assert.Equal(executor.MappedBytes, footprint.MappedBytes);
        Assert.Equal(executor.KvLayout.Groups.Count * executor.KvLayout.BytesPerBlock, footprint.KvBytesPerBlock);
        Assert.InRange(footprint.ScratchBytes, 512 * 64 * 4, 32 << 20);
    }

    [Fact]
    public void Describes_the_model()
    {
        using CpuModelExecutor executor = Load(new ModelLoadOptions { ComputeClass = ComputeClass.Fp32, KvBlocks = 40 });

        Assert.Equal(("tiny", "llama", 3, 640, 512), (executor.Model.Name, executor.Model.Architecture, executor.Model.Layers, executor.Model.VocabularySize, executor.Model.ContextLength));
        Assert.Equal(new KvCacheLayout(3, 2, 16, 16, 16, KvDataType.Float32), executor.KvLayout);
        Assert.Equal(40, executor.KvBlockCount);
    }

    [Fact]
    public void A_sequence_is_no_longer_than_the_kv_storage_or_the_option()
    {
        using CpuModelExecutor small = Load(new ModelLoadOptions { ComputeClass = ComputeClass.Fp32, KvBlocks = 4 });
        using CpuModelExecutor limited = Load(new ModelLoadOptions { ComputeClass = ComputeClass.Fp32, KvBlocks = 40, ContextTokensMax = 100 });

        Assert.Equal(64, small.Model.ContextLength);
        Assert.Equal(100, limited.Model.ContextLength);
    }

    [Fact]
    public void The_fingerprint_tells_apart_what_changes_kv_bytes_and_nothing_else()
    {
        string Fingerprint(ModelLoadOptions options)
        {
            using CpuModelExecutor executor = Load(options);
            return executor.Model.KvFingerprint;
        }

        var options = new ModelLoadOptions { ComputeClass = ComputeClass.Fp32, KvBlocks = 8 };
        string fingerprint = Fingerprint(options);

        Assert.Matches("^[0-9a-f]{64}$", fingerprint);
        Assert.Equal(fingerprint, Fingerprint(options with { KvBlocks = 9, StepRowsMax = 8, ContextTokensMax = 7 }));
        Assert.NotEqual(fingerprint, Fingerprint(options with { ComputeClass = ComputeClass.Fast, KvDataType = KvDataType.Float32 }));
        Assert.NotEqual(fingerprint, Fingerprint(options with { KvDataType = KvDataType.Float16 }));
        Assert.NotEqual(fingerprint, Fingerprint(options with { BlockSize = 32 }));
    }

    [Fact]
    public void The_fingerprint_sees_a_changed_weight()
    {
        byte[] bytes = TinyLlama.Writer().ToArray();
        using var original = new TemporaryFile(bytes);
        bytes[^1] ^= 1;
        using var changed = new TemporaryFile(bytes);
        var options = new ModelLoadOptions { ComputeClass = ComputeClass.Fp32, KvBlocks = 1 };
        using CpuModelExecutor first = ModelLoader.Load(original.Path, options, _pool);
        using CpuModelExecutor second = ModelLoader.Load(changed.Path, options, _pool);

        Assert.NotEqual(first.Model.KvFingerprint, second.Model.KvFingerprint);
    }

    [Fact]
    public void Biases_are_added()
    {
        var ones = new byte[8 * sizeof(float)];
        for (int i = 0; i < ones.Length; i += sizeof(float))
        {
            BitConverter.TryWriteBytes(ones.AsSpan(i), 1f);
        }

        float[] plain = ValuesOfFirstToken(TinyLlama.Writer());
        float[] biased = ValuesOfFirstToken(TinyLlama.Writer().Add("blk.0.attn_v.bias", GgmlType.F32, [8], ones));

        Assert.Equal(Array.ConvertAll(plain, value => value + 1), biased);
    }

    [Fact]
    public void Refuses_a_plan_that_does_not_fit()
    {
        using CpuModelExecutor executor = Load(new ModelLoadOptions { ComputeClass = ComputeClass.Fp32, KvBlocks = 2, StepRowsMax = 8 });

        AssertRefused("The plan has 9 rows", plan => plan.Add(new int[9], 0, new BlockId[] { new(0) }, wantsLogits: false));
        AssertRefused("Row 0 has the token 640", plan => plan.Add([640], 0, new BlockId[] { new(0) }, wantsLogits: false));
        AssertRefused("needs 2 KV blocks", plan => plan.Add([1], 16, new BlockId[] { new(0) }, wantsLogits: false));
        AssertRefused("names the KV block 2", plan => plan.Add([1], 0, new BlockId[] { new(2) }, wantsLogits: false));
        AssertRefused("needs 3 KV blocks and a context of 33", plan => plan.Add([1], 32, new BlockId[] { new(0), new(1), new(0) }, wantsLogits: false));

        void AssertRefused(string expected, Action<StepPlan> fill)
        {
            var plan = new StepPlan(16, 2, executor.Model.VocabularySize);
            fill(plan);
            Assert.Contains(expected, Assert.Throws<ArgumentException>(() => executor.Execute(plan)).Message, StringComparison.Ordinal);
        }
    }

    public void Dispose() => _pool.Dispose();

    private float[] ValuesOfFirstToken(GgufWriter writer)
    {
        using var temporary = new TemporaryFile(writer.ToArray());
        using CpuModelExecutor executor = ModelLoader.Load(temporary.Path, new ModelLoadOptions { ComputeClass = ComputeClass.Fp32, KvBlocks = 1 }, _pool);
        var driver = new StepDriver(executor);
        TestSequence sequence = driver.NewSequence(1);
        driver.Step(new TestRows(sequence, [3]));
        var bytes = new byte[executor.KvLayout.BytesPerTokenPerLayer];
        executor.ExportBlock(0, sequence.Blocks[0], 1, bytes);
        var values = new float[8];
        Buffer.BlockCopy(bytes, bytes.Length / 2, values, 0, bytes.Length / 2);
        return values;
    }

    private CpuModelExecutor Load(ModelLoadOptions options) => ModelLoader.Load(_path, options, _pool);
}
