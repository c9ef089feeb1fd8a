using Serving.Engine.Models;

namespace Serving.Engine.Tests;

public sealed class DeepseekSpecTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void DeepSeek_has_as_many_dense_layers_first_as_it_says(int dense)
    {
        using FamilyFolder folder = Deepseek("deepseek_v3", $"\"first_k_dense_replace\": {dense}", queryRank: null, dense);

        Assert.Equal([.. Enumerable.Range(0, 2).Select(layer => layer >= dense)], folder.Build().Layers.Select(layer => layer.OfType<MixExperts>().Any()));
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData(20, 1)]
    public void DeepSeek_projects_queries_straight_without_a_rank(int? rank, int norms)
    {
        using FamilyFolder folder = Deepseek("deepseek_v3", "\"first_k_dense_replace\": 0", rank, dense: 0);

        IReadOnlyList<Operation> layer = folder.Build().Layers[0];

        // The latents' norms go by 1e-6 whatever rms_norm_eps (here 1e-5) says.
        Assert.Equal(norms, layer.OfType<Normalize>().Count(norm => norm.Epsilon == 1e-6f));
        Assert.Equal(1e-6f, layer.OfType<NormalizeHeads>().Single().Epsilon);
        Assert.Equal(2, layer.OfType<Normalize>().Count(norm => norm.Epsilon == 1e-5f));
    }

    [Fact]
    public void DeepSeek_V3_chooses_by_groups_and_scales_its_weights()
    {
        using FamilyFolder folder = Deepseek(
            "deepseek_v3", "\"n_group\": 2, \"topk_group\": 1, \"routed_scaling_factor\": 1.5, \"norm_topk_prob\": false", queryRank: null, dense: 0);

        Assert.Equal(
            new RouterSpec(4, 2, RouterScore.Sigmoid, Renormalize: false, 1.5f, 2, 1, GroupScoreIsTopTwo: true), Router(folder.Build(), 1));
    }

    [Theory]
    [InlineData("", 1, 1)]
    [InlineData(", \"topk_method\": \"greedy\"", 1, 1)]
    [InlineData(", \"topk_method\": \"group_limited_greedy\"", 2, 1)]
    public void DeepSeek_V2_chooses_by_groups_only_where_it_says_so(string more, int groups, int used)
    {
        using FamilyFolder folder = Deepseek(
            "deepseek_v2", $"\"n_group\": 2, \"topk_group\": 1, \"norm_topk_prob\": true, \"routed_scaling_factor\": 16{more}", queryRank: null, dense: 0);

        Assert.Equal(
            new RouterSpec(4, 2, RouterScore.Softmax, Renormalize: false, 16, groups, used, GroupScoreIsTopTwo: false), Router(folder.Build(), 0));
    }

    [Fact]
    public void DeepSeek_turns_neighbours_unless_it_says_otherwise()
    {
        using FamilyFolder neighbours = Deepseek("deepseek_v3", "\"rope_interleave\": true", queryRank: null, dense: 0);
        using FamilyFolder halves = Deepseek("deepseek_v3", "\"rope_interleave\": false", queryRank: null, dense: 0);

        Assert.True(Assert.Single(neighbours.Build().Ropes).Interleaved);
        Assert.False(Assert.Single(halves.Build().Ropes).Interleaved);
    }

    [Fact]
    public void DeepSeek_puts_the_square_of_mscale_into_the_scores()
    {
        using FamilyFolder folder = Deepseek(
            "deepseek_v3",
            "\"rope_scaling\": { \"type\": \"yarn\", \"factor\": 40, \"original_max_position_embeddings\": 32, \"mscale\": 0.7, \"mscale_all_dim\": 0.7 }",
            queryRank: null,
            dense: 0);

        ModelGraph graph = folder.Build();

        Assert.Equal(1, Assert.Single(graph.Ropes).Magnitude);
        Assert.Equal(1.2582215617879755 * 1.2582215617879755 / Math.Sqrt(14), Assert.Single(graph.Attentions).Scale, 1e-6);
    }

    private static RouterSpec Router(ModelGraph graph, int layer) => graph.Layers[layer].OfType<ChooseExperts>().Single().Router;

    private static FamilyFolder Deepseek(string family, string more, int? queryRank, int dense)
    {
        string config = $$"""
            {
              "kv_lora_rank": 16, "q_lora_rank": {{queryRank?.ToString() ?? "null"}}, "qk_nope_head_dim": 10, "qk_rope_head_dim": 4, "v_head_dim": 6,
              "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16, {{more}}
            }
            """;
        FamilyFolder folder = new FamilyFolder(family, config, layers: 2).AddMlp(layer => layer < dense).AddExperts(4, 16, layer => layer >= dense).AddToLayers(
            _ => true,
            ("input_layernorm.weight", [32]),
            ("post_attention_layernorm.weight", [32]),
            ("self_attn.kv_a_proj_with_mqa.weight", [20, 32]),
            ("self_attn.kv_a_layernorm.weight", [16]),
            ("self_attn.kv_b_proj.weight", [4 * 16, 16]),
            ("self_attn.o_proj.weight", [32, 4 * 6]));
        return queryRank is not { } rank
            ? folder.AddToLayers(_ => true, ("self_attn.q_proj.weight", [4 * 14, 32]))
            : folder.AddToLayers(
                _ => true,
                ("self_attn.q_a_proj.weight", [rank, 32]),
                ("self_attn.q_a_layernorm.weight", [rank]),
                ("self_attn.q_b_proj.weight", [4 * 14, rank]));
    }
}
