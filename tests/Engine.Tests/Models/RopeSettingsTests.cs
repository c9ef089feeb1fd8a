using Serving.Engine.Formats;
using Serving.Engine.Models;
using Serving.TestKit;

namespace Serving.Engine.Tests;

public sealed class RopeSettingsTests
{
    private const string Factors = "\"short_factor\": [1, 1.5, 2, 2.5], \"long_factor\": [2, 4, 6, 8]";

    [Theory]
    [InlineData("", "")]
    [InlineData("\"factor\": 4", "linear")]
    [InlineData("\"factor\": 8, \"low_freq_factor\": 1, \"high_freq_factor\": 4, \"original_max_position_embeddings\": 64", "llama3")]
    [InlineData("\"factor\": 4, \"original_max_position_embeddings\": 32", "yarn")]
    [InlineData("\"factor\": 4, \"beta_fast\": 16, \"beta_slow\": 2, \"original_max_position_embeddings\": 32, \"truncate\": false", "yarn")]
    [InlineData("\"original_max_position_embeddings\": 64, " + Factors, "longrope")]
    public void Both_forms_of_config_json_say_the_same(string fields, string kind)
    {
        string more = fields.Length == 0 ? "" : $", {fields}";
        string named = kind.Length == 0 ? "" : $", \"rope_type\": \"{kind}\"";
        string typed = kind.Length == 0 ? "null" : $"{{ \"type\": \"{kind}\"{more} }}";
        RopeSpec newer = Rope($"{{ \"rope_parameters\": {{ \"rope_theta\": 5e5{named}{more} }} }}");

        AssertSame(newer, Rope($"{{ \"rope_theta\": 5e5, \"rope_scaling\": {typed} }}"));
        AssertSame(newer, Rope($"{{ \"rope_theta\": 5e5, \"rope_scaling\": {typed.Replace("\"type\"", "\"rope_type\"", StringComparison.Ordinal)} }}"));
        Assert.Equal(kind.Length == 0, newer.Frequencies.AsSpan().SequenceEqual(RopeFrequencies.Default(8, 5e5)));
    }

    [Fact]
    public void Gemma_turns_by_the_kind_of_layer_in_both_forms()
    {
        const string Common = """ "hidden_act": "gelu_pytorch_tanh", "sliding_window": 16, "sliding_window_pattern": 2, """;
        using FamilyFolder older = Gemma($$"""
            { {{Common}} "rope_theta": 1e6, "rope_local_base_freq": 2e4, "rope_scaling": { "rope_type": "linear", "factor": 8 } }
            """);
        using FamilyFolder newer = Gemma($$"""
            { {{Common}} "rope_parameters": { "full_attention": { "rope_type": "linear", "factor": 8, "rope_theta": 1e6 },
              "sliding_attention": { "rope_type": "default", "rope_theta": 2e4 } } }
            """);

        foreach (ModelGraph graph in (ModelGraph[])[older.Build(), newer.Build()])
        {
            RopeSpec[] ropes = [.. graph.Layers.Select(layer => layer.OfType<Rotate>().Single().Rope)];
            Assert.Equal(RopeFrequencies.Default(8, 2e4), ropes[0].Frequencies);
            Assert.Equal(RopeFrequencies.Linear(RopeFrequencies.Default(8, 1e6), 8), ropes[1].Frequencies);
            Assert.Equal([16, 0], graph.Layers.Select(layer => layer.OfType<Attend>().Single().Attention.Window));
        }
    }

    [Theory]
    [InlineData("{ \"partial_rotary_factor\": 0.5 }")]
    [InlineData("{ \"rope_parameters\": { \"partial_rotary_factor\": 0.5, \"rope_theta\": 1e4 } }")]
    public void Turns_a_part_of_each_head_where_the_settings_say_so(string config) =>
        AssertSame(new RopeSpec(0, RopeFrequencies.Default(4, 1e4), 1, Interleaved: false), Rope(config));

    [Theory]
    [InlineData(64, 1, 1.5)]
    [InlineData(65, 2, 4)]
    [InlineData(int.MaxValue, 2, 4)]
    public void Longrope_takes_the_factors_for_the_length_of_sequences(int context, double first, double second)
    {
        RopeSpec rope = Rope($"{{ \"rope_scaling\": {{ \"type\": \"longrope\", \"original_max_position_embeddings\": 64, {Factors} }} }}", context);

        Assert.Equal(1 / first, rope.Frequencies[0], 1e-12);
        Assert.Equal(0.1 / second, rope.Frequencies[1], 1e-12);
        Assert.Equal(Math.Sqrt(1 + (Math.Log(2) / Math.Log(64))), rope.Magnitude, 1e-6);
    }

    [Fact]
    public void The_outer_original_context_counts_before_the_inner_one()
    {
        string scaling = $"\"rope_scaling\": {{ \"type\": \"longrope\", \"original_max_position_embeddings\": 64, {Factors} }}";
        RopeSpec rope = Rope($"{{ \"original_max_position_embeddings\": 32, {scaling} }}");

        Assert.Equal(Math.Sqrt(1 + (Math.Log(4) / Math.Log(32))), rope.Magnitude, 1e-6);
    }

    [Theory]
    [InlineData("\"factor\": 4", 1.138629436)]
    [InlineData("\"factor\": 4, \"attention_factor\": 1.25", 1.25)]
    [InlineData("\"factor\": 4, \"mscale\": 0.707, \"mscale_all_dim\": 0.5", 1.0268361529)]
    [InlineData("\"factor\": 4, \"mscale\": 0.707, \"mscale_all_dim\": 0", 1.138629436)]
    [InlineData("\"factor\": 4, \"mscale\": 1, \"mscale_all_dim\": 1", 1)]
    public void Yarns_magnitude_follows_the_settings(string fields, double expected)
    {
        RopeSpec rope = Rope($"{{ \"rope_scaling\": {{ \"rope_type\": \"yarn\", \"original_max_position_embeddings\": 32, {fields} }} }}");

        Assert.Equal(expected, rope.Magnitude, 1e-6);
    }

    [Theory]
    [InlineData("linear", "\"factor\": 4")]
    [InlineData("llama3", "\"factor\": 8, \"low_freq_factor\": 1, \"high_freq_factor\": 4, \"original_max_position_embeddings\": 64")]
    public void Kinds_without_a_magnitude_pass_an_attention_factor_over(string kind, string fields) =>
        Assert.Equal(1, Rope($"{{ \"rope_scaling\": {{ \"rope_type\": \"{kind}\", \"attention_factor\": 2, {fields} }} }}").Magnitude);

    [Fact]
    public void Yarn_without_a_factor_stretches_by_the_ratio_of_the_contexts() => AssertSame(
        Rope("""{ "rope_scaling": { "rope_type": "yarn", "factor": 4, "original_max_position_embeddings": 32 } }"""),
        Rope("""{ "rope_scaling": { "rope_type": "yarn", "original_max_position_embeddings": 32 } }"""));

    [Theory]
    [InlineData("{ \"rope_scaling\": { \"rope_type\": \"linear\", \"factor\": 0 } }", "rope_scaling.factor is 0, expected a positive number")]
    [InlineData("{ \"rope_scaling\": { \"rope_type\": \"linear\" } }", "rope_scaling.factor is missing")]
    [InlineData("{ \"rope_theta\": -1 }", "rope_theta is -1, expected a positive number")]
    [InlineData("{ \"rope_parameters\": { \"rope_theta\": 0 } }", "rope_theta is 0, expected a positive number")]
    [InlineData("{ \"rope_scaling\": { \"rope_type\": \"ntk\", \"factor\": 2 } }", "rope_type is \"ntk\", which is not supported")]
    [InlineData("{ \"rope_scaling\": { \"rope_type\": \"llama3\", \"factor\": 8, \"high_freq_factor\": 4 } }", "low_freq_factor is missing")]
    [InlineData("{ \"rope_scaling\": { \"type\": \"longrope\", \"short_factor\": [1, 1, 1, 1] } }", "long_factor is missing")]
    [InlineData("{ \"rope_scaling\": { \"type\": \"longrope\", \"short_factor\": [1, 1], \"long_factor\": [1, 1, 1, 1] } }", "4 pairs, but there are 2 frequency factors")]
    [InlineData("{ \"rope_scaling\": { \"type\": \"longrope\", \"short_factor\": [1, 1, 0, 1], \"long_factor\": [1, 1, 1, 1] } }", "short_factor holds 0")]
    [InlineData("{ \"partial_rotary_factor\": 1.5 }", "partial_rotary_factor is 1.5, expected more than 0 and at most 1")]
    [InlineData("{ \"partial_rotary_factor\": 0.4 }", "is 3, expected an even number of at least 2")]
    public void Refuses_what_cannot_be_turned(string config, string expected)
    {
        using FamilyFolder folder = FamilyFolder.Dense("llama", config);

        folder.AssertRefused(expected);
    }

    [Fact]
    public void Reads_the_scaling_of_gguf_files()
    {
        double[] plain = RopeFrequencies.Default(8, 1e4);
        GgufWriter linear = TinyLlama.Writer().Set("llama.rope.scaling.type", "linear").Set("llama.rope.scaling.factor", 4f);
        GgufWriter yarn = TinyLlama.Writer()
            .Set("llama.rope.scaling.type", "yarn")
            .Set("llama.rope.scaling.factor", 2f)
            .Set("llama.rope.scaling.yarn_beta_fast", 16f)
            .Set("llama.rope.scaling.original_context_length", 32u);

        Assert.Equal(RopeFrequencies.Linear(plain, 4), Rope(linear).Frequencies);
        Assert.Equal(RopeFrequencies.Yarn(plain, 1e4, 2, 16, 1, 32, truncate: true), Rope(yarn).Frequencies);
        Assert.Equal((float)RopeFrequencies.YarnMagnitude(2), Rope(yarn).Magnitude);
        Assert.Equal(RopeFrequencies.Default(8, 5e5), Rope(TinyLlama.Writer().Set("llama.rope.freq_base", 5e5f)).Frequencies);
        Assert.Contains(
            "rope.scaling.factor",
            Assert.Throws<ModelFormatException>(() => Rope(TinyLlama.Writer().Set("llama.rope.scaling.factor", -1f))).Message,
            StringComparison.Ordinal);
    }

    private static RopeSpec Rope(GgufWriter writer)
    {
        using var temporary = new TemporaryFile(writer.ToArray());
        using ModelSource file = ModelSource.Open(temporary.Path);
        return Assert.Single(ModelGraph.Build(file).Ropes);
    }

    private static RopeSpec Rope(string config, int contextTokensMax = int.MaxValue)
    {
        using FamilyFolder folder = FamilyFolder.Dense("llama", config);
        return Assert.Single(folder.Build(contextTokensMax).Ropes);
    }

    private static FamilyFolder Gemma(string config) => new FamilyFolder("gemma3_text", config, layers: 2).AddAttention().AddMlp().AddHeadNorms().AddToLayers(
        _ => true, ("pre_feedforward_layernorm.weight", [FamilyFolder.Width]), ("post_feedforward_layernorm.weight", [FamilyFolder.Width]));

    private static void AssertSame(RopeSpec expected, RopeSpec actual)
    {
        Assert.Equal(expected.Frequencies, actual.Frequencies);
        Assert.Equal((expected.Magnitude, expected.Interleaved), (actual.Magnitude, actual.Interleaved));
    }
}
