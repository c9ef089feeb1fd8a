namespace Serving.Engine.Models.Blocks;

/// <summary>Pre-norm MLP whose first half is gated by SiLU.</summary>
internal static class SwiGluMlp
{
    public static void Emit(ModelGraphBuilder graph, RowBuffer residual)
    {
        ModelConfig config = graph.Config;
        ProductInput normed = graph.ProductInput("normed", config.Width);
        RowBuffer gateUp = graph.Buffer("gate, up", 2 * config.FeedForwardWidth);
        ProductInput gated = graph.ProductInput("gated", config.FeedForwardWidth);
        RowBuffer update = graph.Buffer("update", config.Width);

        graph.Add(new Normalize(residual, graph.Vector(graph.InLayer("ffn_norm.weight"), config.Width), config.NormEpsilon, normed));
        graph.Add(new Project(
            normed,
            [
                graph.Projection(graph.InLayer("ffn_gate"), config.FeedForwardWidth, config.Width),
                graph.Projection(graph.InLayer("ffn_up"), config.FeedForwardWidth, config.Width),
            ],
            gateUp));
        graph.Add(new SwiGluGate(gateUp, gated));
        graph.Add(new Project(gated, [graph.Projection(graph.InLayer("ffn_down"), config.Width, config.FeedForwardWidth)], update));
        graph.Add(new AddTo(update, residual));
    }
}
