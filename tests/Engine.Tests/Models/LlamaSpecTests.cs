using Serving.Engine.Formats;
using Serving.Engine.Models;
using Serving.TestKit;

namespace Serving.Engine.Tests;

public sealed class LlamaSpecTests
{
    [Fact]
    public void A_layer_is_attention_then_mlp()
    {
        ModelGraph graph = Build(TinyLlama.Writer());

        string[] kinds = [.. Assert.Single(graph.Layers).Select(operation => operation.GetType().Name)];
        Assert.Equal(
            ["Normalize", "Project", "Rotate", "StoreKv", "Attend", "Project", "AddTo", "Normalize", "Project", "Gate", "Project", "AddTo"],
            kinds);
        Assert.Equal(["EmbedTokens"], graph.Embedding.Select(operation => operation.GetType().Name));
        Assert.Equal(["SelectLogitRows", "Normalize", "ProjectLogits"], graph.Head.Select(operation => operation.GetType().Name));
    }

    [Fact]
    public void Reads_the_sizes_of_the_default_model()
    {
        using ModelSource file = ModelSource.Open(Repository.DefaultModel);

        ModelConfig config = ModelGraph.Build(file).Config;

        Assert.Equal((30, 576, 1536, 9, 3, 64), (config.Layers, config.Width, config.FeedForwardWidth, config.Heads, config.KvHeads, config.HeadDim));
        Assert.Equal((49_152, 8_192), (config.VocabularySize, config.ContextLength));
    }

    [Fact]
    public void Ties_the_output_to_the_embedding_only_where_the_file_has_none()
    {
        ModelGraph tied = Build(TinyLlama.Writer());
        ModelGraph untied = Build(TinyLlama.Writer().Add("output.weight", new Random(2), TinyLlama.Width, TinyLlama.Vocabulary));

        Assert.Equal("token_embd.weight", Output(tied));
        Assert.Equal("output.weight", Output(untied));

        static string Output(ModelGraph graph) => Assert.IsType<ProjectLogits>(graph.Head[^1]).Weight.Name;
    }

    [Fact]
    public void Takes_the_biases_that_the_file_has()
    {
        ModelGraph graph = Build(TinyLlama.Writer().Add("blk.0.attn_k.bias", new Random(2), 8));

        Project queryKeyValue = graph.Layers[0].OfType<Project>().First();
        Assert.Equal([null, "blk.0.attn_k.bias", null], queryKeyValue.Parts.Select(part => part.Bias?.Name));
    }

    [Fact]
    public void Takes_the_frequency_factors_that_the_file_has()
    {
        ModelGraph graph = Build(TinyLlama.Writer().Add("rope_freqs.weight", new Random(2), 4));

        RopeSpec rope = Assert.Single(graph.Ropes);
        double[] plain = Assert.Single(Build(TinyLlama.Writer()).Ropes).Frequencies;
        Assert.Equal(plain.Length, rope.Frequencies.Length);
        Assert.All(rope.Frequencies.Zip(plain), pair => Assert.NotEqual(pair.Second, pair.First));
        Assert.True(rope.Interleaved);
    }

    [Theory]
    [InlineData("general.architecture", "general.architecture is missing")]
    [InlineData("llama.block_count", "llama.block_count is missing")]
    [InlineData("llama.attention.layer_norm_rms_epsilon", "llama.attention.layer_norm_rms_epsilon is missing")]
    [InlineData("token_embd.weight", "tensor token_embd.weight is missing")]
    [InlineData("blk.0.ffn_up.weight", "tensor blk.0.ffn_up.weight is missing")]
    [InlineData("output_norm.weight", "tensor output_norm.weight is missing")]
    public void Refuses_a_file_that_lacks_something(string without, string expected) =>
        AssertRefused(expected, TinyLlama.Writer(without));

    [Fact]
    public void Refuses_what_it_would_compute_wrongly()
    {
        AssertRefused(
            "general.architecture is \"mamba\", which is not supported; supported: llama, qwen2",
            TinyLlama.Writer(without: "general.architecture").Set("general.architecture", "mamba"));
        AssertRefused("tensor blk.0.attn_k.weight has the shape [4, 16], expected [8, 16]", With("blk.0.attn_k.weight", 16, 4));
        AssertRefused("tensor blk.0.attn_norm.weight has the shape [1, 16], expected [16]", With("blk.0.attn_norm.weight", 16, 1));
        AssertRefused("tensor blk.0.attn_q.bias has the shape [3], expected [16]", TinyLlama.Writer().Add("blk.0.attn_q.bias", new Random(2), 3));
        AssertRefused("llama.expert_used_count is missing", TinyLlama.Writer().Set("llama.expert_count", 8u));
        AssertRefused("llama.rope.scaling.type is \"su\", which is not supported", TinyLlama.Writer().Set("llama.rope.scaling.type", "su"));
        AssertRefused("is 5, expected an even number", TinyLlama.Writer().Set("llama.rope.dimension_count", 5u));
        AssertRefused(
            "is 3, which does not divide the 2 query heads",
            TinyLlama.Writer(without: "llama.attention.head_count_kv").Set("llama.attention.head_count_kv", 3u));
    }

    private static GgufWriter With(string tensor, params long[] dimensions) => TinyLlama.Writer(without: tensor).Add(tensor, new Random(2), dimensions);

    private static void AssertRefused(string expected, GgufWriter writer)
    {
        var error = Assert.Throws<ModelFormatException>(() => Build(writer));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static ModelGraph Build(GgufWriter writer)
    {
        using var temporary = new TemporaryFile(writer.ToArray());
        using ModelSource file = ModelSource.Open(temporary.Path);
        return ModelGraph.Build(file);
    }
}
