namespace Serving.Engine.Models.Blocks;

/// <summary>Pre-norm MLP whose first half is a gated linear unit (Shazeer, arXiv 2002.05202).</summary>
internal static class GatedMlp
{
    public static GateSpec Silu { get; } = new(GateActivation.Silu);

    /// <param name="postNorm">The norm of what the MLP adds, or null.</param>
    public static void Emit(ModelGraphBuilder graph, RowBuffer residual, GateSpec? unit = null, string? postNorm = null)
    {
        ModelConfig config = graph.Config;
        ProductInput normed = graph.ProductInput("normed", config.Width);
        RowBuffer update = graph.Buffer("update", config.Width);

        graph.Add(new Normalize(residual, graph.Norm("ffn_norm", config.Width), config.NormEpsilon, normed));
        EmitUnit(graph, normed, config.FeedForwardWidth, "", unit ?? Silu, update);
        PostNorm.Emit(graph, update, postNorm);
        graph.Add(new AddTo(update, residual));
    }

    /// <summary>The unit alone, from a normed row to what is added.</summary>
    /// <param name="suffix">What the tensors' names end with: <c>_shexp</c> for shared experts.</param>
    public static void EmitUnit(ModelGraphBuilder graph, ProductInput normed, int hiddenWidth, string suffix, GateSpec unit, RowBuffer update)
    {
        int width = graph.Config.Width;
        RowBuffer gateUp = graph.Buffer($"gate, up{suffix}", 2 * hiddenWidth);
        ProductInput gated = graph.ProductInput($"gated{suffix}", hiddenWidth);
        string fused = $"ffn_gate_up{suffix}";
        Projection[] parts = graph.HasLayerTensor(fused)
            ? [graph.Projection(fused, 2 * hiddenWidth, width)]
            : [graph.Projection($"ffn_gate{suffix}", hiddenWidth, width), graph.Projection($"ffn_up{suffix}", hiddenWidth, width)];

        graph.Add(new Project(normed, parts, gateUp));
        graph.Add(new Gate(gateUp, unit, gated));
        graph.Add(new Project(gated, [graph.Projection($"ffn_down{suffix}", width, hiddenWidth)], update));
    }
}
