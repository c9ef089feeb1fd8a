using Serving.Engine.Formats;
using Serving.Engine.Models.Blocks;
using Serving.Engine.Models.Conversion;

namespace Serving.Engine.Models;

/// <summary>SmolLM3: Llama's shape, with layers that do not turn positions (NoPE: Yang et al., arXiv 2501.18795).</summary>
internal sealed class SmolLm3Spec : ArchitectureSpec
{
    private const int PlainInterval = 4;

    // One flag a layer: 1 where it turns.
    private static readonly SettingKey _turns = new(null, "no_rope_layers");
    private static readonly SettingKey _interval = new(null, "no_rope_layer_interval");

    public override IReadOnlyList<string> GgufFamilies { get; } = ["smollm3"];

    public override IReadOnlyList<string> HuggingFaceFamilies { get; } = ["smollm3"];

    public override void Export(GgufExport export)
    {
        export.RefuseWindows();
        for (int layer = 0; layer < export.Config.Layers; layer++)
        {
            bool turns = false;
            foreach (Operation operation in export.Graph.Layers[layer])
            {
                turns |= operation is Rotate;
            }

            if (turns != ((layer + 1) % PlainInterval != 0))
            {
                throw export.Refuse(_turns, $"llama.cpp leaves every {PlainInterval}th layer unturned and no other");
            }
        }

        export.SetRope(export.RopeDims);
    }

    protected override void Emit(ModelGraphBuilder graph)
    {
        // llama.cpp's converter permutes no rows of this family.
        RopeSpec rope = RopeSettings.Read(graph, RopeSettings.Dims(graph), interleaved: false);
        bool[] turns = Turns(graph);
        int[] windows = QwenLayers.Windows(graph, layer => !turns[layer]);

        RowBuffer residual = TokenEmbedding.Emit(graph);
        for (int layer = 0; layer < graph.Config.Layers; layer++)
        {
            graph.BeginLayer();
            GroupedQueryAttention.Emit(graph, residual, new AttentionOptions { Rope = turns[layer] ? rope : null, Window = windows[layer] });
            GatedMlp.Emit(graph, residual);
        }

        OutputHead.Emit(graph, residual);
    }

    private static bool[] Turns(ModelGraphBuilder graph)
    {
        var turns = new bool[graph.Config.Layers];
        int[]? flags = graph.Settings.FindInt32s(_turns);
        if (flags is { Length: > 0 } && flags.Length < turns.Length)
        {
            throw graph.Settings.Invalid(_turns, $"has {flags.Length} flags, but the model has {turns.Length} layers");
        }

        int interval = graph.Settings.FindInt32(_interval, 1, int.MaxValue) ?? PlainInterval;
        for (int layer = 0; layer < turns.Length; layer++)
        {
            turns[layer] = flags is { Length: > 0 } ? flags[layer] != 0 : (layer + 1) % interval != 0;
        }

        return turns;
    }
}
