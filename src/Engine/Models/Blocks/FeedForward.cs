namespace Serving.Engine.Models.Blocks;

/// <summary>The second half of a layer: experts where it has some, else one MLP.</summary>
internal static class FeedForward
{
    public static void Emit(ModelGraphBuilder graph, RowBuffer residual, ExpertOptions? experts)
    {
        if (experts is null)
        {
            GatedMlp.Emit(graph, residual);
        }
        else
        {
            MixtureOfExperts.Emit(graph, residual, experts);
        }
    }
}
