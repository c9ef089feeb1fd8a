namespace Serving.Engine.Models.Blocks;

/// <summary>Starts each row's residual with its token's embedding.</summary>
internal static class TokenEmbedding
{
    public static RowBuffer Emit(ModelGraphBuilder graph)
    {
        ModelConfig config = graph.Config;
        RowBuffer residual = graph.Buffer("residual", config.Width);
        graph.Add(new EmbedTokens(graph.Matrix(ModelConfig.TokenEmbedding, config.VocabularySize, config.Width), residual));
        return residual;
    }
}
