namespace Serving.Engine.Models.Blocks;

/// <summary>A norm of what a block adds to the residual, in place (Gemma).</summary>
internal static class PostNorm
{
    /// <param name="name">The norm, or null for none.</param>
    public static void Emit(ModelGraphBuilder graph, RowBuffer update, string? name)
    {
        if (name is not null)
        {
            graph.Add(new NormalizeHeads(update, 0, 1, graph.Norm(name, update.Width), graph.Config.NormEpsilon));
        }
    }
}
