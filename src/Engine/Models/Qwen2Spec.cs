using Serving.Engine.Formats;
using Serving.Engine.Models.Blocks;
using Serving.Engine.Models.Conversion;

namespace Serving.Engine.Models;

/// <summary>Qwen2 and Qwen2.5, dense and with experts of which one is shared and gated (Yang et al., arXiv 2407.10671).</summary>
internal sealed class Qwen2Spec : ArchitectureSpec
{
    private static readonly SettingKey _sharedWidth = new("expert_shared_feed_forward_length", "shared_expert_intermediate_size");

    public override IReadOnlyList<string> GgufFamilies { get; } = ["qwen2", "qwen2moe"];

    public override IReadOnlyList<string> HuggingFaceFamilies { get; } = ["qwen2", "qwen2_moe"];

    public override string GgufFamily(ModelSettings settings) => settings.Family == "qwen2_moe" ? "qwen2moe" : "qwen2";

    public override void Export(GgufExport export)
    {
        export.RefuseWindows();
        export.SetRope(export.RopeDims);
        export.RefuseDenseLayers();
        if (export.FindExperts() is { } experts)
        {
            export.SetExperts(experts.Router, experts.HiddenWidth);
            export.Set(_sharedWidth, export.Settings.GetInt32(_sharedWidth, 1, ModelConfig.SizeMax));
            export.RefuseRenormalization(experts.Router, expected: false);
        }
    }

    protected override void Emit(ModelGraphBuilder graph)
    {
        RopeSpec rope = RopeSettings.Read(graph, RopeSettings.Dims(graph), interleaved: false);
        int[] windows = QwenLayers.Windows(graph);
        bool[] sparse = QwenLayers.Sparse(graph);
        ExpertOptions? experts = Array.IndexOf(sparse, true) < 0 ? null : Experts(graph);

        RowBuffer residual = TokenEmbedding.Emit(graph);
        for (int layer = 0; layer < graph.Config.Layers; layer++)
        {
            graph.BeginLayer();
            GroupedQueryAttention.Emit(graph, residual, new AttentionOptions { Rope = rope, Window = windows[layer] });
            FeedForward.Emit(graph, residual, sparse[layer] ? experts : null);
        }

        OutputHead.Emit(graph, residual);
    }

    private static ExpertOptions Experts(ModelGraphBuilder graph) => new()
    {
        Router = RouterSettings.Read(graph, RouterScore.Softmax, renormalizes: false),
        HiddenWidth = RouterSettings.ExpertWidth(graph),
        SharedWidth = graph.Settings.FindInt32(_sharedWidth, 0, ModelConfig.SizeMax) ?? 0,
        SharedIsGated = true,
    };
}
