using Serving.Engine.Formats;
using Serving.Engine.Models.Blocks;
using Serving.Engine.Models.Conversion;

namespace Serving.Engine.Models;

/// <summary>OLMoE: experts in every layer; queries and keys are normalised as whole rows (Muennighoff et al., arXiv 2409.02060).</summary>
internal sealed class OlmoeSpec : ArchitectureSpec
{
    private static readonly SettingKey _clip = new("attention.clamp_kqv", "clip_qkv");

    public override IReadOnlyList<string> GgufFamilies { get; } = ["olmoe"];

    public override IReadOnlyList<string> HuggingFaceFamilies { get; } = ["olmoe"];

    public override void Export(GgufExport export)
    {
        if (export.Settings.FindPositive(_clip) is not null)
        {
            throw export.Refuse(_clip, "llama.cpp does not cut off queries, keys and values in this family");
        }

        export.RefuseWindows();
        export.SetRope(export.RopeDims);
        ExpertSet experts = export.FindExperts()!;
        export.SetExperts(experts.Router, experts.HiddenWidth);
        export.RefuseRenormalization(experts.Router, expected: false);
    }

    protected override void Emit(ModelGraphBuilder graph)
    {
        var attention = new AttentionOptions
        {
            Rope = RopeSettings.Read(graph, RopeSettings.Dims(graph), interleaved: false),
            Norm = QueryKeyNorm.WholeRow,
            Clip = graph.Settings.FindPositive(_clip) ?? 0,
        };
        var experts = new ExpertOptions
        {
            Router = RouterSettings.Read(graph, RouterScore.Softmax, renormalizes: false),
            HiddenWidth = graph.Config.FeedForwardWidth,
        };

        RowBuffer residual = TokenEmbedding.Emit(graph);
        for (int layer = 0; layer < graph.Config.Layers; layer++)
        {
            graph.BeginLayer();
            GroupedQueryAttention.Emit(graph, residual, attention);
            MixtureOfExperts.Emit(graph, residual, experts);
        }

        OutputHead.Emit(graph, residual);
    }
}
