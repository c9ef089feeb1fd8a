using System.Collections.Frozen;
using Serving.Engine.Formats;
using Serving.Engine.Formats.HuggingFace;
using Serving.Engine.Models.Blocks;

namespace Serving.Engine.Models;

/// <summary>DeepSeek-V2 and V3: latent attention, fine-grained experts chosen by groups, dense layers first (arXiv 2405.04434, 2412.19437).</summary>
internal sealed class DeepseekSpec : ArchitectureSpec
{
    private const int SigmoidInGguf = 2;
    private const int GroupsMax = 1 << 10;

    private static readonly SettingKey _queryRank = new("attention.q_lora_rank", "q_lora_rank");
    private static readonly SettingKey _kvRank = new("attention.kv_lora_rank", "kv_lora_rank");
    private static readonly SettingKey _plainDim = new(null, "qk_nope_head_dim");
    private static readonly SettingKey _ropeDim = new("rope.dimension_count", "qk_rope_head_dim");
    private static readonly SettingKey _valueDim = new("attention.value_length_mla", "v_head_dim");
    private static readonly SettingKey _keyDimOfHead = new("attention.key_length_mla");
    private static readonly SettingKey _denseLayers = new("leading_dense_block_count", "first_k_dense_replace");
    private static readonly SettingKey _sharedExperts = new("expert_shared_count", "n_shared_experts");
    private static readonly SettingKey _weightScale = new("expert_weights_scale", "routed_scaling_factor");
    private static readonly SettingKey _groups = new("expert_group_count", "n_group");
    private static readonly SettingKey _groupsUsed = new("expert_group_used_count", "topk_group");
    private static readonly SettingKey _gating = new("expert_gating_func");
    private static readonly SettingKey _topkMethod = new(null, "topk_method");
    private static readonly SettingKey _interleaved = new(null, "rope_interleave");
    private static readonly SettingKey _yarnMultiplier = new("rope.scaling.yarn_log_multiplier");

    private static readonly FrozenDictionary<string, string> _huggingFaceNames = new Dictionary<string, string>
    {
        ["exp_probs_b"] = "mlp.gate.e_score_correction",
        ["ffn_gate_shexp"] = "mlp.shared_experts.gate_proj",
        ["ffn_up_shexp"] = "mlp.shared_experts.up_proj",
        ["ffn_down_shexp"] = "mlp.shared_experts.down_proj",
    }.ToFrozenDictionary();

    public override IReadOnlyList<string> GgufFamilies { get; } = ["deepseek2"];

    public override IReadOnlyList<string> HuggingFaceFamilies { get; } = ["deepseek_v3", "deepseek_v2"];

    protected override IReadOnlyDictionary<string, string> HuggingFaceNames => _huggingFaceNames;

    protected override void Emit(ModelGraphBuilder graph)
    {
        ModelConfig config = graph.Config;
        LatentSizes sizes = Sizes(graph);
        bool isInterleaved = graph.Settings.FindBool(_interleaved) ?? true;
        double mscale = Mscale(graph);
        RopeSpec rope = RopeSettings.Read(graph, sizes.RopeDim, isInterleaved);
        if (graph.Source.Format == ModelFormat.Gguf && mscale != 1)
        {
            // The published models' two multipliers are equal: what the turned elements would be multiplied with is 1.
            rope = graph.Rope(rope.Frequencies, magnitude: 1, isInterleaved);
        }

        float scale = (float)(mscale * mscale / Math.Sqrt(sizes.PlainDim + sizes.RopeDim));
        int dense = graph.Settings.FindInt32(_denseLayers, 0, int.MaxValue) ?? 0;

        RowBuffer residual = TokenEmbedding.Emit(graph);
        for (int layer = 0; layer < config.Layers; layer++)
        {
            graph.BeginLayer();
            LatentAttention.Emit(graph, residual, sizes, rope, scale);
            FeedForward.Emit(graph, residual, layer < dense ? null : Experts(graph));
        }

        OutputHead.Emit(graph, residual);
    }

    private static LatentSizes Sizes(ModelGraphBuilder graph)
    {
        ModelSettings settings = graph.Settings;
        int ropeDim = settings.GetInt32(_ropeDim, 2, ModelConfig.HeadDimMax);
        int kvRank = settings.GetInt32(_kvRank, 1, ModelConfig.SizeMax);

        // Older GGUF files hold the head's own lengths under the keys that newer ones use for the latent's.
        bool hasOwnKeys = settings.FindInt32(_keyDimOfHead, 1, ModelConfig.HeadDimMax) is not null;
        SettingKey keyLength = hasOwnKeys ? _keyDimOfHead : SettingKeys.KeyLength;
        SettingKey valueLength = hasOwnKeys || graph.Source.Format == ModelFormat.HuggingFace ? _valueDim : SettingKeys.ValueLength;
        int plainDim = settings.FindInt32(_plainDim, 1, ModelConfig.HeadDimMax)
            ?? (settings.GetInt32(keyLength, ropeDim + 1, ModelConfig.HeadDimMax) - ropeDim);
        return new LatentSizes(
            settings.FindInt32(_queryRank, 0, ModelConfig.SizeMax) ?? 0, kvRank, plainDim, ropeDim, settings.GetInt32(valueLength, 1, ModelConfig.HeadDimMax));
    }

    /// <summary>What YaRN multiplies queries and keys with beside the rotation; its square goes into the scores.</summary>
    private static double Mscale(ModelGraphBuilder graph)
    {
        if (graph.Settings is HuggingFaceSettings huggingFace)
        {
            JsonFields? rope = huggingFace.Config.FindObject("rope_parameters") ?? huggingFace.Config.FindObject("rope_scaling");
            double all = rope?.FindNumber("mscale_all_dim") ?? 0;
            return all == 0 ? 1 : RopeFrequencies.YarnMagnitude(rope!.FindNumber("factor") ?? 1, all);
        }

        float? multiplier = graph.Settings.FindSingle(_yarnMultiplier);
        float factor = graph.Settings.FindPositive(new SettingKey("rope.scaling.factor")) ?? 1;
        return multiplier is null || factor <= 1 ? 1 : 1 + (multiplier.Value * Math.Log(factor));
    }

    private static ExpertOptions Experts(ModelGraphBuilder graph)
    {
        ModelSettings settings = graph.Settings;
        bool isSigmoid = settings.Family == "deepseek_v3" || settings.FindInt32(_gating, 0, 16) == SigmoidInGguf;
        RouterSpec router = RouterSettings.Read(graph, isSigmoid ? RouterScore.Sigmoid : RouterScore.Softmax, renormalizes: isSigmoid);
        // DeepSeek-V2's settings say whether groups count, and are silent where they do not.
        bool isGrouped = settings.Family != "deepseek_v2" || settings.FindString(_topkMethod) == "group_limited_greedy";
        int groups = isGrouped ? settings.FindInt32(_groups, 1, GroupsMax) ?? 1 : 1;
        if (router.Experts % groups != 0)
        {
            throw settings.Invalid(_groups, $"is {groups}, which does not divide the {router.Experts} experts");
        }

        int hidden = RouterSettings.ExpertWidth(graph);
        string correction = $"{graph.InLayer("exp_probs_b")}{(graph.Source.Format == ModelFormat.HuggingFace ? "_bias" : ".bias")}";
        return new ExpertOptions
        {
            Router = router with
            {
                // DeepSeek-V2's model code never divides by the sum, whatever its settings say.
                Renormalize = isSigmoid && router.Renormalize,
                Scale = settings.FindPositive(_weightScale) ?? 1,
                Groups = groups,
                GroupsUsed = isGrouped ? settings.FindInt32(_groupsUsed, 1, groups) ?? groups : 1,
                GroupScoreIsTopTwo = isSigmoid,
            },
            HiddenWidth = hidden,
            SharedWidth = (settings.FindInt32(_sharedExperts, 0, ModelConfig.CountMax) ?? 0) * hidden,
            Correction = isSigmoid ? graph.FindVector(correction, router.Experts) : null,
        };
    }
}
