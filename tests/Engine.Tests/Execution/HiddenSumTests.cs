using Serving.Engine.Execution;
using Serving.Engine.Execution.Cpu;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;

namespace Serving.Engine.Tests;

/// <summary>The sum of a sequence's hidden states, from which embeddings are made.</summary>
public sealed class HiddenSumTests : IDisposable
{
    private const int Tokens = 90;

    private readonly ComputePool _pool = new(2);

    public void Dispose() => _pool.Dispose();

    /// <summary>Logits are the product of a hidden state and the output matrix, so the sum's product is the sum of the logits, which are held against transformers elsewhere.</summary>
    [Fact]
    public void Its_product_with_the_output_matrix_is_the_sum_of_all_logits()
    {
        using CpuModelExecutor executor = Load("llama-f32", ComputeClass.Fp32);
        int[] prompt = Prompt(seed: 1);
        double[] logitSums = new double[executor.Model.VocabularySize];
        foreach (float[] logits in new StepDriver(executor).AllLogits(prompt))
        {
            for (int i = 0; i < logits.Length; i++)
            {
                logitSums[i] += logits[i];
            }
        }

        float[] sum = Sum(executor, prompt, Tokens);
        double[] product = Product(sum);

        for (int i = 0; i < product.Length; i++)
        {
            Assert.Equal(logitSums[i], product[i], 1e-3 * Tokens);
        }
    }

    [Theory]
    [InlineData("llama-f32", ComputeClass.Fp32)]
    [InlineData("tiny-256-Q4_1", ComputeClass.Fast)]
    public void It_is_the_same_in_pieces_and_beside_others(string model, ComputeClass computeClass)
    {
        using CpuModelExecutor executor = Load(model, computeClass);
        int[] prompt = Prompt(seed: 2);
        float[] whole = Sum(executor, prompt, Tokens);

        Assert.Equal(whole, Sum(executor, prompt, 1));
        Assert.Equal(whole, Sum(executor, prompt, 33));
        Assert.Equal(whole, Sum(executor, prompt, 33, other: Prompt(seed: 3)));
    }

    private CpuModelExecutor Load(string model, ComputeClass computeClass) => ModelLoader.Load(
        GoldenFixtures.Path("gguf", $"{model}.gguf"), new ModelLoadOptions { ComputeClass = computeClass, KvBlocks = 128, StepRowsMax = 256 }, _pool);

    /// <summary>Runs a prompt in pieces, each beside a piece of another sequence, and gives its sum.</summary>
    private static float[] Sum(CpuModelExecutor executor, int[] prompt, int piece, int[]? other = null)
    {
        StepPlan plan = new(executor.StepRowsMax, sequencesMax: 2, executor.Model.VocabularySize);
        StepDriver blocks = new(executor);
        TestSequence own = blocks.NewSequence(prompt.Length);
        TestSequence beside = blocks.NewSequence(prompt.Length);
        float[] sum = [.. Enumerable.Repeat(float.NaN, executor.Model.Width)];
        for (int start = 0; start < prompt.Length; start += piece)
        {
            int end = Math.Min(prompt.Length, start + piece);
            plan.Clear();
            if (other is not null)
            {
                plan.Add(other.AsSpan()[start..end], start, beside.Blocks, wantsLogits: true);
            }

            plan.Add(prompt.AsSpan()[start..end], start, own.Blocks, logitRows: 0, sum);
            executor.Execute(plan);
        }

        return sum;
    }

    private static unsafe double[] Product(float[] sum)
    {
        using ModelSource source = ModelSource.Open(GoldenFixtures.Path("gguf", "llama-f32.gguf"));
        ModelTensor output = source.FindTensor("output.weight") ?? source.FindTensor("token_embd.weight")!;
        ReadOnlySpan<float> matrix = new((float*)output.Data, (int)(output.ByteCount / sizeof(float)));
        double[] product = new double[matrix.Length / sum.Length];
        for (int row = 0; row < product.Length; row++)
        {
            for (int i = 0; i < sum.Length; i++)
            {
                product[row] += (double)matrix[(row * sum.Length) + i] * sum[i];
            }
        }

        return product;
    }

    private static int[] Prompt(int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, Tokens).Select(_ => random.Next(200))];
    }
}
