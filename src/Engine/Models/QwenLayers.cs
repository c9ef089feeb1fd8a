using Serving.Engine.Formats;
using Serving.Engine.Formats.HuggingFace;
using Serving.Engine.Models.Blocks;

namespace Serving.Engine.Models;

/// <summary>Which layers of a Qwen model slide and which have experts.</summary>
internal static class QwenLayers
{
    // What the class of Hugging Face takes where the settings are silent.
    private const int FullLayersDefault = 28;

    /// <summary>
    /// The windows of a Qwen, if any layer slides: those from <c>max_window_layers</c> on; of Qwen2 with experts every other one before it; of Qwen3 with experts all.
    /// </summary>
    public static int[] Windows(ModelGraphBuilder graph)
    {
        int layers = graph.Settings.FindInt32(new SettingKey(null, "max_window_layers"), 0, int.MaxValue) ?? FullLayersDefault;
        return Windows(graph, graph.Settings.Family switch
        {
            "qwen2_moe" => layer => layer % 2 == 0 && layer < layers,
            "qwen3_moe" => _ => true,
            _ => layer => layer >= layers,
        });
    }

    /// <summary>The windows of a family that says by <c>use_sliding_window</c> whether any layer slides.</summary>
    /// <param name="slides">Whether a layer slides where the settings name no kinds of layers.</param>
    public static int[] Windows(ModelGraphBuilder graph, Func<int, bool> slides) =>
        graph.Settings.FindBool(new SettingKey(null, "use_sliding_window")) is true ? LayerWindows.Read(graph, slides) : new int[graph.Config.Layers];

    /// <summary>For each layer whether it has experts: all have, or those that the settings of Hugging Face leave.</summary>
    public static bool[] Sparse(ModelGraphBuilder graph)
    {
        var sparse = new bool[graph.Config.Layers];
        int step = graph.Settings.FindInt32(new SettingKey(null, "decoder_sparse_step"), 1, int.MaxValue) ?? 1;
        int[] dense = (graph.Settings as HuggingFaceSettings)?.Config.FindInt32s("mlp_only_layers") ?? [];
        for (int layer = 0; layer < sparse.Length; layer++)
        {
            sparse[layer] = RouterSettings.HasExperts(graph) && (layer + 1) % step == 0 && Array.IndexOf(dense, layer) < 0;
        }

        return sparse;
    }
}
