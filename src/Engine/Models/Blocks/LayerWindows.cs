using Serving.Engine.Formats;
using Serving.Engine.Formats.HuggingFace;

namespace Serving.Engine.Models.Blocks;

/// <summary>Which layers see only a window of the last tokens.</summary>
internal static class LayerWindows
{
    private const string LayerTypes = "layer_types";
    private const string Sliding = "sliding_attention";
    private const string Full = "full_attention";

    /// <summary>The window of each layer; 0: it sees everything.</summary>
    /// <param name="slides">Whether a layer slides where the settings name no kinds of layers.</param>
    public static int[] Read(ModelGraphBuilder graph, Func<int, bool> slides)
    {
        var windows = new int[graph.Config.Layers];
        int window = graph.Settings.FindInt32(SettingKeys.Window, 0, int.MaxValue) ?? 0;
        string[]? types = (graph.Settings as HuggingFaceSettings)?.Config.FindStrings(LayerTypes);
        if (types is not null && types.Length < windows.Length)
        {
            throw Invalid(graph, $"names {types.Length} layers, but the model has {windows.Length}");
        }

        for (int layer = 0; layer < windows.Length; layer++)
        {
            windows[layer] = types switch
            {
                null => slides(layer) ? window : 0,
                _ when types[layer] == Full => 0,
                _ when types[layer] == Sliding => window > 0 ? window : throw graph.Settings.Invalid(SettingKeys.Window, "is missing, and layers slide"),
                _ => throw Invalid(graph, $"holds \"{types[layer]}\", which is not supported; supported: {Full}, {Sliding}"),
            };
        }

        return windows;
    }

    private static ModelFormatException Invalid(ModelGraphBuilder graph, string problem) => graph.Settings.Invalid(new SettingKey(null, LayerTypes), problem);
}
