using System.Collections.Frozen;
using Serving.Engine.Formats;
using Serving.Engine.Models.Blocks;

namespace Serving.Engine.Models;

/// <summary>GPT-OSS: attention sinks, every other layer with a sliding window, biased experts with a clamped swish (OpenAI, arXiv 2508.10925).</summary>
internal sealed class GptOssSpec : ArchitectureSpec
{
    private const float AlphaDefault = 1.702f;
    private const float LimitDefault = 7;

    private static readonly SettingKey _alpha = new(null, "swiglu_alpha");
    private static readonly SettingKey _limit = new(null, "swiglu_limit");

    private static readonly FrozenDictionary<string, string> _ggufNames =
        new Dictionary<string, string> { ["ffn_norm"] = "post_attention_norm" }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, string> _huggingFaceNames = new Dictionary<string, string>
    {
        ["attn_sinks"] = "self_attn.sinks",
        ["ffn_gate_inp"] = "mlp.router",
        ["ffn_exps"] = "mlp.experts",
    }.ToFrozenDictionary();

    public override IReadOnlyList<string> GgufFamilies { get; } = ["gpt-oss"];

    public override IReadOnlyList<string> HuggingFaceFamilies { get; } = ["gpt_oss"];

    protected override IReadOnlyDictionary<string, string> GgufNames => _ggufNames;

    protected override IReadOnlyDictionary<string, string> HuggingFaceNames => _huggingFaceNames;

    protected override void Emit(ModelGraphBuilder graph)
    {
        // The published models' YaRN ramp begins and ends between pairs.
        RopeSpec rope = RopeSettings.Read(graph, RopeSettings.Dims(graph), interleaved: false, truncateDefault: graph.Source.Format != ModelFormat.Gguf);
        int[] windows = LayerWindows.Read(graph, layer => layer % 2 == 0);
        int width = graph.Settings.FindInt32(SettingKeys.ExpertWidth, 1, ModelConfig.SizeMax) ?? graph.Config.FeedForwardWidth;
        RouterSpec router = RouterSettings.Read(graph, RouterScore.SoftmaxOfChosen, renormalizes: false);
        var experts = new ExpertOptions
        {
            Router = router,
            HiddenWidth = width,
            Gate = new GateSpec(
                GateActivation.ClampedSwish, graph.Settings.FindPositive(_alpha) ?? AlphaDefault, graph.Settings.FindPositive(_limit) ?? LimitDefault),
            Weights = builder => GptOssExperts.Find(builder, router.Experts, width),
        };

        RowBuffer residual = TokenEmbedding.Emit(graph);
        for (int layer = 0; layer < graph.Config.Layers; layer++)
        {
            graph.BeginLayer();
            GroupedQueryAttention.Emit(graph, residual, new AttentionOptions { Rope = rope, Window = windows[layer], HasSinks = true });
            MixtureOfExperts.Emit(graph, residual, experts);
        }

        OutputHead.Emit(graph, residual);
    }
}
