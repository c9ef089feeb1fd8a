using Serving.Engine.Formats;
using Serving.Engine.Models.Blocks;
using Serving.Engine.Models.Conversion;

namespace Serving.Engine.Models;

/// <summary>Qwen3, dense and with experts: queries and keys are normalised head by head (Yang et al., arXiv 2505.09388).</summary>
internal sealed class Qwen3Spec : ArchitectureSpec
{
    public override IReadOnlyList<string> GgufFamilies { get; } = ["qwen3", "qwen3moe"];

    public override IReadOnlyList<string> HuggingFaceFamilies { get; } = ["qwen3", "qwen3_moe"];

    public override string GgufFamily(ModelSettings settings) => settings.Family == "qwen3_moe" ? "qwen3moe" : "qwen3";

    public override void Export(GgufExport export)
    {
        export.RefuseWindows();
        export.SetRope(export.RopeDims);
        export.RefuseDenseLayers();
        if (export.FindExperts() is { } experts)
        {
            export.SetExperts(experts.Router, experts.HiddenWidth);
            export.RefuseRenormalization(experts.Router, expected: true);
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
            GroupedQueryAttention.Emit(graph, residual, new AttentionOptions { Rope = rope, Norm = QueryKeyNorm.PerHead, Window = windows[layer] });
            FeedForward.Emit(graph, residual, sparse[layer] ? experts : null);
        }

        OutputHead.Emit(graph, residual);
    }

    // The class default of Hugging Face is false, every published model says true, and GGUF's llama.cpp takes it for granted.
    private static ExpertOptions Experts(ModelGraphBuilder graph) => new()
    {
        Router = RouterSettings.Read(graph, RouterScore.Softmax, renormalizes: graph.Source.Format == ModelFormat.Gguf),
        HiddenWidth = RouterSettings.ExpertWidth(graph),
    };
}
