using Serving.Engine.Models;

namespace Serving.Engine.Tests;

/// <summary>What the flags of config.json make of the layers, held against transformers' model classes.</summary>
public sealed class FamilySpecTests
{
    private const string Sliding = "\"use_sliding_window\": true, \"sliding_window\": 16";
    private const string Moe = "\"num_experts\": 4, \"num_experts_per_tok\": 2, \"moe_intermediate_size\": 16";

    [Theory]
    [InlineData("{ \"use_sliding_window\": true, \"sliding_window\": 16, \"max_window_layers\": 2 }", 0, 0, 16, 16)]
    [InlineData("{ \"use_sliding_window\": true, \"sliding_window\": 16 }", 0, 0, 0, 0)]
    [InlineData("{ \"use_sliding_window\": true, \"sliding_window\": null, \"max_window_layers\": 0 }", 0, 0, 0, 0)]
    [InlineData("{ \"use_sliding_window\": false, \"sliding_window\": 16, \"max_window_layers\": 0 }", 0, 0, 0, 0)]
    [InlineData("{ \"sliding_window\": 16, \"max_window_layers\": 0 }", 0, 0, 0, 0)]
    public void The_layers_of_Qwen2_slide_from_max_window_layers_on(string config, params int[] windows)
    {
        using FamilyFolder folder = FamilyFolder.Dense("qwen2", config, layers: 4);

        Assert.Equal(windows, Windows(folder.Build()));
    }

    [Fact]
    public void Named_kinds_of_layers_count_before_a_pattern()
    {
        using FamilyFolder folder = FamilyFolder.Dense(
            "qwen2", $"{{ {Sliding}, \"max_window_layers\": 0, \"layer_types\": [\"full_attention\", \"sliding_attention\"] }}", layers: 2);

        Assert.Equal([0, 16], Windows(folder.Build()));
    }

    [Fact]
    public void Qwen_with_experts_slides_in_its_own_ways()
    {
        using FamilyFolder second = new FamilyFolder("qwen2_moe", $"{{ {Sliding}, {Moe}, \"max_window_layers\": 3 }}", layers: 5).AddAttention().AddExperts(4, 16);
        using FamilyFolder third = new FamilyFolder("qwen3_moe", $"{{ {Sliding}, {Moe}, \"max_window_layers\": 3 }}", layers: 5)
            .AddAttention().AddHeadNorms().AddExperts(4, 16);

        Assert.Equal([16, 0, 16, 0, 0], Windows(second.Build()));
        Assert.Equal([16, 16, 16, 16, 16], Windows(third.Build()));
    }

    [Theory]
    [InlineData("{}", true, true, true, false)]
    [InlineData("{ \"no_rope_layer_interval\": 2 }", true, false, true, false)]
    [InlineData("{ \"no_rope_layers\": [0, 1, 1, 0, 1] }", false, true, true, false)]
    public void SmolLm3_turns_the_layers_that_it_names(string config, params bool[] turns)
    {
        using FamilyFolder folder = FamilyFolder.Dense("smollm3", config, layers: 4);

        Assert.Equal(turns, folder.Build().Layers.Select(layer => layer.OfType<Rotate>().Any()));
    }

    [Fact]
    public void SmolLm3_slides_where_it_does_not_turn()
    {
        using FamilyFolder folder = FamilyFolder.Dense("smollm3", $"{{ {Sliding}, \"no_rope_layers\": [1, 0, 1, 0] }}", layers: 4);

        Assert.Equal([0, 16, 0, 16], Windows(folder.Build()));
    }

    [Fact]
    public void SmolLm3_refuses_fewer_flags_than_layers()
    {
        using FamilyFolder folder = FamilyFolder.Dense("smollm3", "{ \"no_rope_layers\": [1, 0] }", layers: 4);

        folder.AssertRefused("no_rope_layers has 2 flags, but the model has 4 layers");
    }

    [Theory]
    [InlineData("", true, true, true, true)]
    [InlineData(", \"decoder_sparse_step\": 2", false, true, false, true)]
    [InlineData(", \"mlp_only_layers\": [0, 3]", false, true, true, false)]
    [InlineData(", \"decoder_sparse_step\": 2, \"mlp_only_layers\": [1]", false, false, false, true)]
    [InlineData(", \"mlp_only_layers\": null", true, true, true, true)]
    public void Qwen3_has_experts_in_the_layers_that_its_settings_leave(string more, params bool[] sparse)
    {
        using FamilyFolder folder = new FamilyFolder("qwen3_moe", $"{{ {Moe}{more} }}", layers: 4)
            .AddAttention().AddHeadNorms().AddMlp(layer => !sparse[layer]).AddExperts(4, 16, layer => sparse[layer]);

        Assert.Equal(sparse, folder.Build().Layers.Select(layer => layer.OfType<MixExperts>().Any()));
    }

    [Theory]
    [InlineData("qwen3_moe", "", false)]
    [InlineData("qwen3_moe", ", \"norm_topk_prob\": true", true)]
    [InlineData("qwen2_moe", ", \"norm_topk_prob\": true", true)]
    [InlineData("qwen2_moe", "", false)]
    public void The_weights_of_experts_are_renormalised_where_the_settings_say_so(string family, string more, bool expected)
    {
        using FamilyFolder folder = new FamilyFolder(family, $"{{ {Moe}{more} }}").AddAttention().AddHeadNorms().AddExperts(4, 16);

        Assert.Equal(expected, Router(folder.Build(), 0).Renormalize);
    }

    [Fact]
    public void Qwen2s_shared_expert_has_its_own_width_and_gate()
    {
        using FamilyFolder folder = new FamilyFolder("qwen2_moe", $"{{ {Moe}, \"shared_expert_intermediate_size\": 24 }}").AddAttention().AddExperts(4, 16).AddToLayers(
            _ => true,
            ("mlp.shared_expert.gate_proj.weight", [24, 32]),
            ("mlp.shared_expert.up_proj.weight", [24, 32]),
            ("mlp.shared_expert.down_proj.weight", [32, 24]),
            ("mlp.shared_expert_gate.weight", [1, 32]));

        IReadOnlyList<Operation> layer = Assert.Single(folder.Build().Layers);
        Assert.Single(layer.OfType<ScaleBySigmoid>());
        Assert.Equal(24, layer.OfType<Gate>().Single().To.Width);
    }

    [Theory]
    [InlineData("{}", 16, 16, 16, 16, 16, 0, 16)]
    [InlineData("{ \"sliding_window_pattern\": 3 }", 16, 16, 0, 16, 16, 0, 16)]
    [InlineData("{ \"_sliding_window_pattern\": 2 }", 16, 0, 16, 0, 16, 0, 16)]
    public void The_last_layer_of_each_of_Gemmas_patterns_sees_everything(string config, params int[] windows)
    {
        using FamilyFolder folder = Gemma(config, layers: 7);

        Assert.Equal(windows, Windows(folder.Build()));
    }

    [Theory]
    [InlineData("{}", 256)]
    [InlineData("{ \"query_pre_attn_scalar\": 24 }", 24)]
    public void Gemma_scales_scores_by_its_own_number(string config, double scalar)
    {
        using FamilyFolder folder = Gemma(config, layers: 1);

        ModelGraph graph = folder.Build();

        Assert.Equal(1 / Math.Sqrt(scalar), Assert.Single(graph.Attentions).Scale, 1e-7);
        Assert.Equal(MathF.Sqrt(FamilyFolder.Width), graph.Embedding.OfType<EmbedTokens>().Single().Scale);
    }

    [Fact]
    public void Gemma_caps_scores_and_logits_where_it_says_so()
    {
        using FamilyFolder folder = Gemma("{ \"attn_logit_softcapping\": 50, \"final_logit_softcapping\": 30 }", layers: 1);

        ModelGraph graph = folder.Build();

        Assert.Equal(50, Assert.Single(graph.Attentions).Softcap);
        Assert.Equal(30, graph.Head.OfType<ProjectLogits>().Single().Softcap);
    }

    [Theory]
    [InlineData("{ \"tie_word_embeddings\": true }", true, "model.embed_tokens.weight")]
    [InlineData("{ \"tie_word_embeddings\": false }", true, "lm_head.weight")]
    [InlineData("{}", true, "lm_head.weight")]
    [InlineData("{}", false, "model.embed_tokens.weight")]
    public void The_output_is_the_embedding_where_the_settings_tie_them(string config, bool hasHead, string expected)
    {
        using FamilyFolder folder = FamilyFolder.Dense("llama", config);
        if (hasHead)
        {
            folder.Add("lm_head.weight", 24, FamilyFolder.Width);
        }

        Assert.Equal(expected, folder.Build().Head.OfType<ProjectLogits>().Single().Weight.Name);
    }

    [Fact]
    public void Takes_all_biases_that_the_folder_has()
    {
        (string Projection, int Length)[] biases =
        [
            ("self_attn.q_proj", 32), ("self_attn.k_proj", 16), ("self_attn.v_proj", 16), ("self_attn.o_proj", 32),
            ("mlp.gate_proj", 64), ("mlp.up_proj", 64), ("mlp.down_proj", 32),
        ];
        using FamilyFolder folder = FamilyFolder.Dense("llama", "{ \"attention_bias\": true, \"mlp_bias\": true }");
        Array.ForEach(biases, bias => folder.Add($"model.layers.0.{bias.Projection}.bias", bias.Length));

        Assert.Equal(
            biases.Select(bias => $"model.layers.0.{bias.Projection}.bias"),
            folder.Build().Layers[0].OfType<Project>().SelectMany(project => project.Parts).Select(part => part.Bias?.Name));
    }

    [Fact]
    public void Heads_need_not_be_a_share_of_the_width()
    {
        using FamilyFolder folder = new FamilyFolder("llama", "{ \"head_dim\": 12 }").AddAttention(headDim: 12).AddMlp();

        ModelGraph graph = folder.Build();

        Assert.Equal(new KvShape(2, 12, 12), graph.Kv);
        Assert.Equal(1 / MathF.Sqrt(12), Assert.Single(graph.Attentions).Scale);
    }

    [Fact]
    public void Olmoe_clips_only_where_it_says_so()
    {
        using FamilyFolder clips = Olmoe("\"clip_qkv\": 6");
        using FamilyFolder plain = Olmoe("\"clip_qkv\": null");

        Assert.Equal(6, clips.Build().Layers[0].OfType<Clamp>().Single().Limit);
        Assert.Empty(plain.Build().Layers[0].OfType<Clamp>());
    }

    [Fact]
    public void Mixtral_slides_and_has_experts()
    {
        using FamilyFolder folder = new FamilyFolder(
            "mixtral", "{ \"sliding_window\": 16, \"head_dim\": null, \"num_local_experts\": 2, \"num_experts_per_tok\": 1 }").AddAttention().AddToLayers(
            _ => true,
            ("block_sparse_moe.gate.weight", [2, 32]),
            ("block_sparse_moe.experts.0.w1.weight", [64, 32]),
            ("block_sparse_moe.experts.0.w2.weight", [32, 64]),
            ("block_sparse_moe.experts.0.w3.weight", [64, 32]),
            ("block_sparse_moe.experts.1.w1.weight", [64, 32]),
            ("block_sparse_moe.experts.1.w2.weight", [32, 64]),
            ("block_sparse_moe.experts.1.w3.weight", [64, 32]));

        ModelGraph graph = folder.Build();

        Assert.Equal([16], Windows(graph));
        Assert.Equal(new RouterSpec(2, 1, RouterScore.Softmax, Renormalize: true), Router(graph, 0));
    }

    [Theory]
    [InlineData("mamba", "{}", "model_type is \"mamba\", which is not supported; supported: llama")]
    [InlineData("llama", "{ \"hidden_act\": \"relu2\" }", "hidden_act is \"relu2\"; this family is known with silu or swish")]
    [InlineData("llama", "{ \"quantization_config\": { \"quant_method\": \"fp8\" } }", "quantization_config.quant_method is \"fp8\", which is not supported")]
    [InlineData("qwen2", "{ \"use_sliding_window\": true, \"layer_types\": [\"sliding_attention\"] }", "sliding_window is missing, and layers slide")]
    [InlineData("mistral", "{ \"sliding_window\": 8, \"layer_types\": [\"linear_attention\"] }", "holds \"linear_attention\", which is not supported")]
    [InlineData("llama", "{ \"num_key_value_heads\": 3 }", "is 3, which does not divide the 4 query heads")]
    [InlineData("llama", "{ \"tie_word_embeddings\": false }", "tensor lm_head.weight is missing")]
    public void Refuses_by_name_what_it_would_compute_wrongly(string family, string config, string expected)
    {
        using FamilyFolder folder = FamilyFolder.Dense(family, config);

        folder.AssertRefused(expected);
    }

    private static int[] Windows(ModelGraph graph) => [.. graph.Layers.Select(layer => layer.OfType<Attend>().Single().Attention.Window)];

    private static RouterSpec Router(ModelGraph graph, int layer) => graph.Layers[layer].OfType<ChooseExperts>().Single().Router;

    private static FamilyFolder Gemma(string config, int layers)
    {
        FamilyFolder folder = new FamilyFolder("gemma3_text", config, layers).AddAttention().AddMlp().AddHeadNorms().AddToLayers(
            _ => true, ("pre_feedforward_layernorm.weight", [FamilyFolder.Width]), ("post_feedforward_layernorm.weight", [FamilyFolder.Width]));
        folder.Config["hidden_act"] = null;
        folder.Config["hidden_activation"] = "gelu_pytorch_tanh";
        folder.Config["sliding_window"] = 16;
        return folder;
    }

    private static FamilyFolder Olmoe(string more) => new FamilyFolder("olmoe", $"{{ {Moe}, {more} }}").AddAttention().AddExperts(4, FamilyFolder.Hidden).AddToLayers(
        _ => true, ("self_attn.q_norm.weight", [32]), ("self_attn.k_norm.weight", [16]));
}
