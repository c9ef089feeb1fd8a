namespace Serving.Engine.Models.Blocks;

/// <summary>Pre-norm self-attention whose query heads share key and value heads in groups (Ainslie et al., arXiv 2305.13245).</summary>
internal static class GroupedQueryAttention
{
    public static void Emit(ModelGraphBuilder graph, RowBuffer residual, AttentionOptions options)
    {
        ModelConfig config = graph.Config;
        int keyColumn = config.QueryWidth;
        int valueColumn = keyColumn + config.KvWidth;
        ProductInput normed = graph.ProductInput("normed", config.Width);
        RowBuffer queryKeyValue = graph.Buffer("query, key, value", valueColumn + config.KvWidth);
        ProductInput attended = graph.ProductInput("attended", config.QueryWidth);
        RowBuffer update = graph.Buffer("update", config.Width);

        graph.Add(new Normalize(residual, graph.Norm("attn_norm", config.Width), config.NormEpsilon, normed));
        graph.Add(new Project(normed, QueryKeyValue(graph), queryKeyValue));
        EmitNorms(graph, queryKeyValue, options.Norm);
        if (options.Clip > 0)
        {
            graph.Add(new Clamp(queryKeyValue, 0, queryKeyValue.Width, options.Clip));
        }

        if (options.Rope is { } rope)
        {
            graph.Add(new Rotate(queryKeyValue, 0, config.Heads + config.KvHeads, config.HeadDim, rope));
        }

        graph.LeavesInKvCache(new KvShape(config.KvHeads, config.HeadDim, config.HeadDim));
        graph.Add(new StoreKv(graph.Layer, queryKeyValue, keyColumn, valueColumn));
        graph.Add(new Attend(graph.Layer, queryKeyValue, Attention(graph, options), attended));
        graph.Add(new Project(attended, [graph.Projection("attn_output", config.Width, config.QueryWidth)], update));
        PostNorm.Emit(graph, update, options.PostNorm);
        graph.Add(new AddTo(update, residual));
    }

    private static Projection[] QueryKeyValue(ModelGraphBuilder graph)
    {
        ModelConfig config = graph.Config;
        return graph.HasLayerTensor("attn_qkv")
            ? [graph.Projection("attn_qkv", config.QueryWidth + (2 * config.KvWidth), config.Width)]
            :
            [
                graph.Projection("attn_q", config.QueryWidth, config.Width),
                graph.Projection("attn_k", config.KvWidth, config.Width),
                graph.Projection("attn_v", config.KvWidth, config.Width),
            ];
    }

    private static void EmitNorms(ModelGraphBuilder graph, RowBuffer queryKeyValue, QueryKeyNorm norm)
    {
        ModelConfig config = graph.Config;
        switch (norm)
        {
            case QueryKeyNorm.PerHead:
                Add(0, config.Heads, "attn_q_norm", config.HeadDim);
                Add(config.QueryWidth, config.KvHeads, "attn_k_norm", config.HeadDim);
                break;
            case QueryKeyNorm.WholeRow:
                Add(0, 1, "attn_q_norm", config.QueryWidth);
                Add(config.QueryWidth, 1, "attn_k_norm", config.KvWidth);
                break;
        }

        void Add(int column, int heads, string name, int length) =>
            graph.Add(new NormalizeHeads(queryKeyValue, column, heads, graph.Norm(name, length), config.NormEpsilon));
    }

    private static AttentionSpec Attention(ModelGraphBuilder graph, AttentionOptions options)
    {
        ModelConfig config = graph.Config;
        return graph.Attention(
            config.Heads,
            options.Scale ?? (1f / MathF.Sqrt(config.HeadDim)),
            options.Window,
            graph.Settings.FindPositive(SettingKeys.AttentionSoftcap) ?? 0,
            options.HasSinks ? Sinks(graph) : null);
    }

    // GGUF gives every tensor a suffix, Hugging Face gives this one none.
    private static VectorWeight Sinks(ModelGraphBuilder graph)
    {
        string name = graph.InLayer("attn_sinks");
        return graph.FindVector(name, graph.Config.Heads) ?? graph.Vector($"{name}.weight", graph.Config.Heads);
    }
}
