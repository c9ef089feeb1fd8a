using System.Runtime.InteropServices;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Models.Blocks;

/// <summary>Sizes of latent attention.</summary>
/// <param name="QueryRank">Elements of a query's latent; 0: queries are projected straight from the row.</param>
/// <param name="KvRank">Elements of the latent that keys and values share.</param>
/// <param name="PlainDim">Elements of a head's query and key that are not turned.</param>
/// <param name="RopeDim">Elements that are turned; the key has them once for all heads.</param>
/// <param name="ValueDim">Elements of a head's value.</param>
internal sealed record LatentSizes(int QueryRank, int KvRank, int PlainDim, int RopeDim, int ValueDim);

/// <summary>
/// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434 §2.1), in its absorbed form: the cache holds a latent and a turned key part for all heads, and each
/// head's up-projections of keys and values are applied to its query and to what it attended instead.
/// </summary>
internal static class LatentAttention
{
    // Hugging Face's code norms latents with this, whatever rms_norm_eps says; llama.cpp norms them as all else.
    private const float LatentEpsilon = 1e-6f;

    public static void Emit(ModelGraphBuilder graph, RowBuffer residual, LatentSizes sizes, RopeSpec rope, float scale)
    {
        ModelConfig config = graph.Config;
        int headDim = sizes.PlainDim + sizes.RopeDim;
        int keyDim = sizes.KvRank + sizes.RopeDim;
        ProductInput normed = graph.ProductInput("normed", config.Width);
        RowBuffer query = graph.Buffer("query", config.Heads * headDim);
        RowBuffer latent = graph.Buffer("latent", keyDim);
        RowBuffer absorbed = graph.Buffer("absorbed query", config.Heads * keyDim);
        RowBuffer attended = graph.Buffer("attended latent", config.Heads * sizes.KvRank);
        ProductInput values = graph.ProductInput("attended", config.Heads * sizes.ValueDim);
        RowBuffer update = graph.Buffer("update", config.Width);
        (MatrixWeight[] keys, MatrixWeight[] valueHeads) = HeadMatrices(graph, sizes);

        graph.Add(new Normalize(residual, graph.Norm("attn_norm", config.Width), config.NormEpsilon, normed));
        EmitQuery(graph, normed, query, sizes);
        graph.Add(new Project(normed, [graph.Projection("attn_kv_a_mqa", keyDim, config.Width)], latent));
        graph.Add(new NormalizeHeads(latent, 0, 1, graph.Norm("attn_kv_a_norm", sizes.KvRank), Epsilon(graph)));
        graph.Add(new Rotate(query, sizes.PlainDim, config.Heads, headDim, rope));
        graph.Add(new Rotate(latent, sizes.KvRank, 1, keyDim, rope));

        graph.LeavesInKvCache(new KvShape(1, keyDim, sizes.KvRank, ValuesInKeys: true));
        graph.Add(new StoreKv(graph.Layer, latent, 0, 0));
        graph.Add(new ProjectHeads(query, headDim, keys, absorbed, keyDim));
        graph.Add(new CopyHeads(query, sizes.PlainDim, headDim, absorbed, sizes.KvRank, keyDim, config.Heads, sizes.RopeDim));
        graph.Add(new Attend(graph.Layer, absorbed, graph.Attention(config.Heads, scale), attended));
        graph.Add(new ProjectHeads(attended, sizes.KvRank, valueHeads, values, sizes.ValueDim));
        graph.Add(new Project(values, [graph.Projection("attn_output", config.Width, values.Width)], update));
        graph.Add(new AddTo(update, residual));
    }

    private static void EmitQuery(ModelGraphBuilder graph, ProductInput normed, RowBuffer query, LatentSizes sizes)
    {
        ModelConfig config = graph.Config;
        if (sizes.QueryRank == 0)
        {
            graph.Add(new Project(normed, [graph.Projection("attn_q", query.Width, config.Width)], query));
            return;
        }

        RowBuffer down = graph.Buffer("query latent", sizes.QueryRank);
        ProductInput downNormed = graph.ProductInput("query latent, normed", sizes.QueryRank);
        graph.Add(new Project(normed, [graph.Projection("attn_q_a", sizes.QueryRank, config.Width)], down));
        graph.Add(new Normalize(down, graph.Norm("attn_q_a_norm", sizes.QueryRank), Epsilon(graph), downNormed));
        graph.Add(new Project(downNormed, [graph.Projection("attn_q_b", query.Width, sizes.QueryRank)], query));
    }

    private static float Epsilon(ModelGraphBuilder graph) => graph.Source.Format == ModelFormat.HuggingFace ? LatentEpsilon : graph.Config.NormEpsilon;

    /// <summary>Each head's way from its query to the latent <c>[rank, plain]</c>, and from the attended latent to its value <c>[value, rank]</c>.</summary>
    private static (MatrixWeight[] Keys, MatrixWeight[] Values) HeadMatrices(ModelGraphBuilder graph, LatentSizes sizes)
    {
        int heads = graph.Config.Heads;
        var keys = new MatrixWeight[heads];
        var values = new MatrixWeight[heads];
        if (graph.HasLayerTensor("attn_k_b"))
        {
            // Newer GGUF files hold them apart, the keys' turned around already.
            ModelTensor keyStack = graph.Demand($"{graph.InLayer("attn_k_b")}.weight");
            ModelTensor valueStack = graph.Demand($"{graph.InLayer("attn_v_b")}.weight");
            for (int head = 0; head < heads; head++)
            {
                keys[head] = graph.MatrixOfStack(keyStack, head, heads, sizes.KvRank, sizes.PlainDim);
                values[head] = graph.MatrixOfStack(valueStack, head, heads, sizes.ValueDim, sizes.KvRank);
            }

            return (keys, values);
        }

        string name = $"{graph.InLayer("attn_kv_b")}.weight";
        int headRows = sizes.PlainDim + sizes.ValueDim;
        ModelTensor tensor = graph.Demand(name);
        RawTensor rows = tensor.AsMatrix();
        if (rows.Outputs != heads * headRows || rows.Inputs != sizes.KvRank)
        {
            throw ModelGraphBuilder.WrongShape(tensor, heads * headRows, sizes.KvRank);
        }

        long rowBytes = rows.ByteCount / rows.Outputs;
        for (int head = 0; head < heads; head++)
        {
            int first = head * headRows;
            keys[head] = graph.Matrix($"{name}[{head}] keys", tensor, Transposed(rows, first, sizes.PlainDim));
            values[head] = graph.Matrix(
                $"{name}[{head}] values",
                tensor,
                MatrixData.Mapped(rows with
                {
                    Outputs = sizes.ValueDim,
                    Data = rows.Data + (nint)((first + sizes.PlainDim) * rowBytes),
                    ByteCount = sizes.ValueDim * rowBytes,
                }));
        }

        return (keys, values);
    }

    /// <summary>
    /// Some rows of a matrix as columns. Plain floats keep their format; what the blocks of a quantised one lie along is no more contiguous then, so that they
    /// become fp32.
    /// </summary>
    private static MatrixData Transposed(RawTensor matrix, int first, int count)
    {
        bool isPlain = BlockDecoder.BlockElements(matrix.Type) == 1;
        GgmlType type = isPlain ? matrix.Type : GgmlType.F32;
        int size = BlockDecoder.BlockBytes(type);
        return MatrixData.Rearranged(matrix.Name, type, matrix.Inputs, count, columns =>
        {
            var decoded = new float[isPlain ? 0 : matrix.Inputs];
            for (int i = 0; i < count; i++)
            {
                ReadOnlySpan<byte> row = matrix.Row(first + i);
                if (!isPlain)
                {
                    BlockDecoder.Decode(matrix.Type, row, decoded);
                    row = MemoryMarshal.AsBytes(decoded.AsSpan());
                }

                for (int output = 0; output < matrix.Inputs; output++)
                {
                    row.Slice(output * size, size).CopyTo(columns[(((output * count) + i) * size)..]);
                }
            }
        });
    }
}
