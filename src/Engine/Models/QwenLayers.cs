using Serving.Engine.Formats;
using Serving.Engine.Formats.HuggingFace;
using Serving.Engine.Models.Blocks;

namespace Serving.Engine.Models;

/// <summary>Which layers of a Qwen model slide and which have experts.</summary>
internal static class QwenLayers
{
    /// <summary>The layers from <c>max_window_layers</c> on slide, if any do.</summary>
    public static int[] Windows(ModelGraphBuilder graph)
    {
        bool slides = graph.Settings.FindBool(new SettingKey(null, "use_sliding_window")) ?? false;
        int first = graph.Settings.FindInt32(new SettingKey(null, "max_window_layers"), 0, int.MaxValue) ?? 0;
        return slides ? LayerWindows.Read(graph, layer => layer >= first) : new int[graph.Config.Layers];
    }

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
