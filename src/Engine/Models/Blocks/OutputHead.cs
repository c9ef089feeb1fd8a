namespace Serving.Engine.Models.Blocks;

/// <summary>The last norm and the projection onto the vocabulary, which is the token embedding itself where the file has no other.</summary>
internal static class OutputHead
{
    private const string Output = "output.weight";

    public static void Emit(ModelGraphBuilder graph, RowBuffer residual)
    {
        ModelConfig config = graph.Config;
        RowBuffer selected = graph.Buffer("selected", config.Width);
        ProductInput normed = graph.ProductInput("normed", config.Width);
        string output = graph.HasTensor(Output) ? Output : ModelConfig.TokenEmbedding;

        graph.BeginHead();
        graph.Add(new SelectLogitRows(residual, selected));
        graph.Add(new Normalize(selected, graph.Vector("output_norm.weight", config.Width), config.NormEpsilon, normed));
        graph.Add(new ProjectLogits(normed, graph.Matrix(output, config.VocabularySize, config.Width)));
    }
}
