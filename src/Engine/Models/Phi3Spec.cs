using System.Collections.Frozen;
using Serving.Engine.Models.Blocks;
using Serving.Engine.Models.Conversion;

namespace Serving.Engine.Models;

/// <summary>Phi-3 and Phi-4: Llama's shape with query, key and value in one matrix, and gate and up in another (Abdin et al., arXiv 2404.14219).</summary>
internal sealed class Phi3Spec : ArchitectureSpec
{
    // GGUF calls the matrix of gate and up by the name of up.
    private static readonly FrozenDictionary<string, string> _ggufNames = new Dictionary<string, string> { ["ffn_gate_up"] = "ffn_up" }.ToFrozenDictionary();

    public override IReadOnlyList<string> GgufFamilies { get; } = ["phi3"];

    public override IReadOnlyList<string> HuggingFaceFamilies { get; } = ["phi3"];

    protected override IReadOnlyDictionary<string, string> GgufNames => _ggufNames;

    public override void Export(GgufExport export)
    {
        export.RefuseWindows();
        export.SetRope(export.RopeDims);
    }

    protected override void Emit(ModelGraphBuilder graph)
    {
        RopeSpec rope = RopeSettings.Read(graph, RopeSettings.Dims(graph), interleaved: false);
        int[] windows = LayerWindows.Read(graph, _ => true);

        RowBuffer residual = TokenEmbedding.Emit(graph);
        for (int layer = 0; layer < graph.Config.Layers; layer++)
        {
            graph.BeginLayer();
            GroupedQueryAttention.Emit(graph, residual, new AttentionOptions { Rope = rope, Window = windows[layer] });
            GatedMlp.Emit(graph, residual);
        }

        OutputHead.Emit(graph, residual);
    }
}
