using System.Collections.Frozen;
using Serving.Engine.Formats;
using Serving.Engine.Models.Blocks;
using Serving.Engine.Models.Conversion;

namespace Serving.Engine.Models;

/// <summary>
/// Llama 1 to 3 and what shares their shape, such as SmolLM2 (Touvron et al., arXiv 2302.13971; Grattafiori et al., arXiv 2407.21783); Mistral with its
/// sliding window (Jiang et al., arXiv 2310.06825); Mixtral with its experts (arXiv 2401.04088).
/// </summary>
internal sealed class LlamaSpec : ArchitectureSpec
{
    private static readonly FrozenDictionary<string, string> _huggingFaceNames = new Dictionary<string, string>
    {
        ["ffn_gate_inp"] = "block_sparse_moe.gate",
        ["ffn_gate_exps"] = "block_sparse_moe.experts.{0}.w1",
        ["ffn_up_exps"] = "block_sparse_moe.experts.{0}.w3",
        ["ffn_down_exps"] = "block_sparse_moe.experts.{0}.w2",
    }.ToFrozenDictionary();

    public override IReadOnlyList<string> GgufFamilies { get; } = ["llama"];

    public override IReadOnlyList<string> HuggingFaceFamilies { get; } = ["llama", "mistral", "mixtral"];

    protected override IReadOnlyDictionary<string, string> HuggingFaceNames => _huggingFaceNames;

    public override void Export(GgufExport export)
    {
        export.RefuseWindows();
        export.SetRope(export.RopeDims);
        export.InterleavedHeads["attn_q"] = export.Config.Heads;
        export.InterleavedHeads["attn_k"] = export.Config.KvHeads;
        if (export.FindExperts() is { } experts)
        {
            export.SetExperts(experts.Router, experts.HiddenWidth);
        }
    }

    protected override void Emit(ModelGraphBuilder graph)
    {
        // llama.cpp's converter permutes the rows of q and k, so that RoPE's pairs are neighbours.
        bool isInterleaved = graph.Source.Format == ModelFormat.Gguf;
        RopeSpec rope = RopeSettings.Read(graph, RopeSettings.Dims(graph), isInterleaved);
        int[] windows = LayerWindows.Read(graph, _ => true);
        ExpertOptions? experts = Experts(graph);

        RowBuffer residual = TokenEmbedding.Emit(graph);
        for (int layer = 0; layer < graph.Config.Layers; layer++)
        {
            graph.BeginLayer();
            GroupedQueryAttention.Emit(graph, residual, new AttentionOptions { Rope = rope, Window = windows[layer] });
            FeedForward.Emit(graph, residual, experts);
        }

        OutputHead.Emit(graph, residual);
    }

    private static ExpertOptions? Experts(ModelGraphBuilder graph) => RouterSettings.HasExperts(graph)
        ? new ExpertOptions
        {
            Router = RouterSettings.Read(graph, RouterScore.Softmax, renormalizes: true),
            HiddenWidth = graph.Config.FeedForwardWidth,
        }
        : null;
}
