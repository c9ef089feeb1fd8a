using Serving.Engine.Formats;

namespace Serving.Engine.Models.Blocks;

/// <summary>The last norm and the projection onto the vocabulary, which is the token embedding itself where the model ties the two.</summary>
internal static class OutputHead
{
    public static void Emit(ModelGraphBuilder graph, RowBuffer residual)
    {
        ModelConfig config = graph.Config;
        RowBuffer selected = graph.Buffer("selected", config.Width);
        ProductInput normed = graph.ProductInput("normed", config.Width);
        float softcap = graph.Settings.FindPositive(SettingKeys.LogitSoftcap) ?? 0;

        graph.BeginHead();
        graph.Add(new SelectLogitRows(residual, selected));
        graph.Add(new Normalize(selected, graph.OutputNorm(), config.NormEpsilon, normed));
        graph.Add(new ProjectLogits(normed, FindOutput(graph), softcap));
    }

    private static MatrixWeight FindOutput(ModelGraphBuilder graph)
    {
        bool? isTied = graph.Settings.FindBool(SettingKeys.TiedEmbedding);
        if (isTied is true || (isTied is null && graph.Source.FindTensor(graph.Names.Output) is null))
        {
            return graph.TokenEmbedding;
        }

        return graph.Matrix(graph.Names.Output, graph.Config.VocabularySize, graph.Config.Width);
    }
}
