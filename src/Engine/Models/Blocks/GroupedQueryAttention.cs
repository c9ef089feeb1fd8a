namespace Serving.Engine.Models.Blocks;

/// <summary>Pre-norm self-attention whose query heads share key and value heads in groups (Ainslie et al., arXiv 2305.13245).</summary>
internal static class GroupedQueryAttention
{
    public static void Emit(ModelGraphBuilder graph, RowBuffer residual, RopeSpec rope)
    {
        ModelConfig config = graph.Config;
        int keyColumn = config.QueryWidth;
        int valueColumn = keyColumn + config.KvWidth;
        ProductInput normed = graph.ProductInput("normed", config.Width);
        RowBuffer queryKeyValue = graph.Buffer("query, key, value", valueColumn + config.KvWidth);
        ProductInput attended = graph.ProductInput("attended", config.QueryWidth);
        RowBuffer update = graph.Buffer("update", config.Width);

        graph.Add(new Normalize(residual, graph.Vector(graph.InLayer("attn_norm.weight"), config.Width), config.NormEpsilon, normed));
        graph.Add(new Project(
            normed,
            [
                graph.Projection(graph.InLayer("attn_q"), config.QueryWidth, config.Width),
                graph.Projection(graph.InLayer("attn_k"), config.KvWidth, config.Width),
                graph.Projection(graph.InLayer("attn_v"), config.KvWidth, config.Width),
            ],
            queryKeyValue));
        graph.Add(new Rotate(queryKeyValue, config.Heads + config.KvHeads, config.HeadDim, rope));
        graph.Add(new StoreKv(graph.Layer, queryKeyValue, keyColumn, valueColumn));
        graph.Add(new Attend(graph.Layer, queryKeyValue, attended));
        graph.Add(new Project(attended, [graph.Projection(graph.InLayer("attn_output"), config.Width, config.QueryWidth)], update));
        graph.Add(new AddTo(update, residual));
    }
}
