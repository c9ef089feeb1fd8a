namespace Serving.Engine.Models.Blocks;

/// <summary>Starts each row's residual with its token's embedding.</summary>
internal static class TokenEmbedding
{
    /// <param name="scale">What embeddings are multiplied with.</param>
    public static RowBuffer Emit(ModelGraphBuilder graph, float scale = 1)
    {
        RowBuffer residual = graph.Buffer("residual", graph.Config.Width);
        graph.Add(new EmbedTokens(graph.TokenEmbedding, scale, residual));
        return residual;
    }
}
