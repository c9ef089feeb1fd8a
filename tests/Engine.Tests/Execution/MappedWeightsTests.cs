using Serving.Engine.Execution;
using Serving.Engine.Execution.Cpu;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;
using Serving.TestKit;

namespace Serving.Engine.Tests;

/// <summary>Weights that are used as they lie in the file: who holds them, and how long.</summary>
public sealed class MappedWeightsTests : IDisposable
{
    // A Q8_0 block of 32 a token.
    private const int TableBytes = TinyLlama.Vocabulary * 34;

    private static readonly ModelLoadOptions _options = new() { ComputeClass = ComputeClass.Fp32, KvBlocks = 8, StepRowsMax = 32 };
    private readonly ComputePool _pool = new(2);

    [Theory]
    [InlineData("gguf/llama-f32.gguf")]
    [InlineData("models/llama")]
    [InlineData("models/qwen3")]
    public void Plain_floats_take_no_memory_but_for_the_vectors(string model)
    {
        using var source = ModelSource.Open(GoldenFixtures.Path(model.Split('/')));
        using CpuModelExecutor first = ModelLoader.Load(source, _options, _pool);
        using CpuModelExecutor second = ModelLoader.Load(source, _options, _pool);

        long matrixBytes = source.Tensors.Where(tensor => tensor.Shape.Count > 1).Sum(tensor => tensor.ByteCount);
        long vectorElements = source.Tensors.Where(tensor => tensor.Shape.Count == 1).Sum(tensor => tensor.Shape[0]);

        Assert.All([first, second], executor =>
        {
            Assert.Equal(matrixBytes, executor.MappedBytes);
            Assert.Equal(vectorElements * sizeof(float), executor.WeightBytes);
        });
    }

    [Fact]
    public void The_opener_may_dispose_the_source_at_once()
    {
        string path = GoldenFixtures.Path("models", "llama");
        ModelSource source = ModelSource.Open(path);
        using CpuModelExecutor expected = ModelLoader.Load(path, _options, _pool);
        using CpuModelExecutor first = ModelLoader.Load(source, _options, _pool);
        CpuModelExecutor second = ModelLoader.Load(source, _options, _pool);
        source.Dispose();
        source.Dispose();
        second.Dispose();
        second.Dispose();

        Assert.Equal(Logits(expected), Logits(first));
        Assert.Throws<ObjectDisposedException>(() => ModelLoader.Load(source, _options, _pool));
    }

    [Fact]
    public void The_files_are_closed_with_the_last_that_holds_them()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("Which files are mapped is read from /proc.");
        }

        using var file = new TemporaryFile(TinyLlama.Writer().ToArray());
        CpuModelExecutor executor = ModelLoader.Load(file.Path, _options, _pool);
        Assert.True(IsMapped(file.Path));

        executor.Dispose();
        Assert.False(IsMapped(file.Path));
        Assert.ThrowsAny<Exception>(() => ModelLoader.Load(file.Path, _options with { KvBlocks = 0 }, _pool));
        Assert.False(IsMapped(file.Path));
    }

    [Fact]
    public void An_embedding_that_is_only_looked_up_is_not_repacked()
    {
        using var tied = new TemporaryFile(Writer(untied: false).ToArray());
        using var untied = new TemporaryFile(Writer(untied: true).ToArray());
        ModelLoadOptions options = _options with { ComputeClass = ComputeClass.Fast };
        using CpuModelExecutor withTied = ModelLoader.Load(tied.Path, options, _pool);
        using CpuModelExecutor withUntied = ModelLoader.Load(untied.Path, options, _pool);

        // The output has the embedding's own values: the same logits from the packed matrix's rows and from the file's.
        Assert.Equal(Logits(withTied), Logits(withUntied));
        Assert.Equal(withTied.WeightBytes, withUntied.WeightBytes);
        Assert.Equal(TableBytes, withUntied.MappedBytes - withTied.MappedBytes);
    }

    public void Dispose() => _pool.Dispose();

    private static bool IsMapped(string path) => File.ReadAllText("/proc/self/maps").Contains(path, StringComparison.Ordinal);

    private static float[] Logits(CpuModelExecutor executor)
    {
        var driver = new StepDriver(executor);
        return driver.Step(new TestRows(driver.NewSequence(16), [3, 1, 4, 1, 5]))[0];
    }

    /// <summary>A model whose embedding is in Q8_0, and its output the same once more or the embedding itself.</summary>
    private static GgufWriter Writer(bool untied)
    {
        var table = new byte[TableBytes];
        new Random(2).NextBytes(table);
        for (int block = 0; block < table.Length; block += 34)
        {
            BitConverter.TryWriteBytes(table.AsSpan(block), (Half)0.01f);
        }

        GgufWriter writer = TinyLlama.Writer("token_embd.weight", width: 32).Add("token_embd.weight", GgmlType.Q8_0, [32, TinyLlama.Vocabulary], table);
        return untied ? writer.Add("output.weight", GgmlType.Q8_0, [32, TinyLlama.Vocabulary], table) : writer;
    }
}
