using System.Collections.Frozen;
using Serving.Engine.Formats;
using Serving.Engine.Formats.HuggingFace;
using Serving.Engine.Models.Blocks;
using Serving.Engine.Models.Conversion;

namespace Serving.Engine.Models;

/// <summary>
/// Gemma 3's language model: norms before and after each block, most layers with a sliding window and a rotation of their own (Gemma Team, arXiv 2503.19786).
/// </summary>
internal sealed class Gemma3Spec : ArchitectureSpec
{
    private const string PostAttentionNorm = "post_attention_norm";
    private const string PostMlpNorm = "post_ffw_norm";
    private const float LocalThetaDefault = 10_000;

    // What the class of Hugging Face takes where the settings are silent.
    private const float QueryScalarDefault = 256;

    // Of this many layers the last sees everything.
    private const int PatternDefault = 6;

    // The one size whose queries are scaled by what a head's share of the width would be.
    private const int LayersOf27B = 62;

    private static readonly SettingKey _localTheta = new("rope.freq_base_swa", "rope_local_base_freq");
    private static readonly SettingKey _pattern = new("attention.sliding_window_pattern", "sliding_window_pattern", "_sliding_window_pattern");
    private static readonly SettingKey _queryScalar = new(null, "query_pre_attn_scalar");
    private static readonly SettingKey _bidirectional = new(null, "use_bidirectional_attention");

    private static readonly FrozenDictionary<string, string> _huggingFaceNames = new Dictionary<string, string>
    {
        ["ffn_norm"] = "pre_feedforward_layernorm",
        [PostAttentionNorm] = "post_attention_layernorm",
        [PostMlpNorm] = "post_feedforward_layernorm",
    }.ToFrozenDictionary();

    public override IReadOnlyList<string> GgufFamilies { get; } = ["gemma3"];

    public override IReadOnlyList<string> HuggingFaceFamilies { get; } = ["gemma3_text", "gemma3"];

    protected override IReadOnlyDictionary<string, string> HuggingFaceNames => _huggingFaceNames;

    protected override IReadOnlyList<string> Activations { get; } = ["gelu_pytorch_tanh"];

    // GGUF holds the weights with the 1 added.
    public override float NormOffset(ModelFormat format) => format == ModelFormat.HuggingFace ? 1 : 0;

    public override void Export(GgufExport export)
    {
        ModelConfig config = export.Config;
        for (int layer = 0; layer < config.Layers; layer++)
        {
            foreach (Operation operation in export.Graph.Layers[layer])
            {
                if (operation is Attend attend)
                {
                    RefuseVariant(export, layer, attend.Attention);
                }
            }
        }

        RopeScaling local = RopeSettings.Read(export.Settings, config, "sliding_attention");
        bool hasOwnRope = export.Settings is HuggingFaceSettings { Config: var json } && json.FindObject("rope_parameters")?.Has("sliding_attention") is true;
        float localTheta = hasOwnRope ? (float)local.Theta : export.Settings.FindPositive(_localTheta) ?? LocalThetaDefault;
        if (localTheta != LocalThetaDefault || (hasOwnRope && local.Kind != RopeScalingKind.None))
        {
            throw export.Refuse(_localTheta, $"llama.cpp turns windowed layers by {LocalThetaDefault} and unscaled");
        }

        export.Set(SettingKeys.Window, export.Settings.GetInt32(SettingKeys.Window, 1, int.MaxValue));
        export.SetRope(export.RopeDims, "full_attention");
    }

    protected override void Emit(ModelGraphBuilder graph)
    {
        ModelConfig config = graph.Config;
        if (graph.Settings.FindBool(_bidirectional) is true)
        {
            throw graph.Settings.Invalid(_bidirectional, "is true: a model that sees what comes after a token cannot answer token by token");
        }

        int dims = RopeSettings.Dims(graph);
        RopeSpec globalRope = RopeSettings.Read(graph, dims, interleaved: false, "full_attention");
        RopeSpec localRope = LocalRope(graph, dims);
        int pattern = graph.Settings.FindInt32(_pattern, 1, int.MaxValue) ?? PatternDefault;
        int[] windows = LayerWindows.Read(graph, layer => (layer + 1) % pattern != 0);
        float scale = 1 / MathF.Sqrt(QueryScalar(graph));
        var unit = new GateSpec(GateActivation.GeluTanh);

        RowBuffer residual = TokenEmbedding.Emit(graph, MathF.Sqrt(config.Width));
        for (int layer = 0; layer < config.Layers; layer++)
        {
            graph.BeginLayer();
            GroupedQueryAttention.Emit(graph, residual, new AttentionOptions
            {
                Rope = windows[layer] > 0 ? localRope : globalRope,
                Norm = QueryKeyNorm.PerHead,
                Scale = scale,
                Window = windows[layer],
                PostNorm = PostAttentionNorm,
            });
            GatedMlp.Emit(graph, residual, unit, PostMlpNorm);
        }

        OutputHead.Emit(graph, residual);
    }

    private static void RefuseVariant(GgufExport export, int layer, AttentionSpec attention)
    {
        if (attention.Window > 0 != ((layer + 1) % PatternDefault != 0))
        {
            throw export.Refuse(_pattern, $"llama.cpp lets every {PatternDefault}th layer see everything and no other");
        }

        int heads = export.Config.Heads;
        float scalar = export.Config.Layers == LayersOf27B ? (float)export.Config.Width / heads : export.Config.HeadDim;
        if (Math.Abs((attention.Scale * MathF.Sqrt(scalar)) - 1) > 1e-5f)
        {
            throw export.Refuse(_queryScalar, $"llama.cpp scales this size's scores by 1/√{scalar}");
        }

        if (attention.Softcap != 0)
        {
            throw export.Refuse(SettingKeys.AttentionSoftcap, "llama.cpp does not bend this family's scores");
        }
    }

    private static RopeSpec LocalRope(ModelGraphBuilder graph, int dims)
    {
        const string Sliding = "sliding_attention";
        if (graph.Settings is HuggingFaceSettings huggingFace && huggingFace.Config.FindObject("rope_parameters")?.Has(Sliding) is true)
        {
            return RopeSettings.Read(graph, dims, interleaved: false, Sliding);
        }

        return graph.Rope(RopeFrequencies.Default(dims, graph.Settings.FindPositive(_localTheta) ?? LocalThetaDefault), magnitude: 1, interleaved: false);
    }

    private static float QueryScalar(ModelGraphBuilder graph)
    {
        ModelConfig config = graph.Config;
        float ofSize = graph.Source.Format == ModelFormat.HuggingFace ? QueryScalarDefault
            : config.Layers == LayersOf27B ? (float)config.Width / config.Heads
            : config.HeadDim;
        return graph.Settings.FindPositive(_queryScalar) ?? ofSize;
    }
}
