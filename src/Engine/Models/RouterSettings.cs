using Serving.Engine.Formats;

namespace Serving.Engine.Models;

/// <summary>How a model says that tokens choose their experts.</summary>
internal static class RouterSettings
{
    private const int ExpertsMax = 1 << 12;

    public static bool HasExperts(ModelGraphBuilder graph) => graph.Settings.FindInt32(SettingKeys.Experts, 0, ExpertsMax) is > 0;

    /// <param name="renormalizes">Whether the weights of the chosen experts are divided by their sum where the settings are silent.</param>
    public static RouterSpec Read(ModelGraphBuilder graph, RouterScore score, bool renormalizes)
    {
        ModelSettings settings = graph.Settings;
        int experts = settings.GetInt32(SettingKeys.Experts, 1, ExpertsMax);
        return new RouterSpec(
            experts,
            settings.GetInt32(SettingKeys.ExpertsUsed, 1, experts),
            score,
            settings.FindBool(SettingKeys.ExpertWeightsNormalized) ?? renormalizes);
    }

    /// <summary>Elements between an expert's two halves.</summary>
    public static int ExpertWidth(ModelGraphBuilder graph) => graph.Settings.GetInt32(SettingKeys.ExpertWidth, 1, ModelConfig.SizeMax);
}
