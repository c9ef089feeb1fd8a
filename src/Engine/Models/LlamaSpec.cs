using Serving.Engine.Formats.Gguf;
using Serving.Engine.Models.Blocks;

namespace Serving.Engine.Models;

/// <summary>Llama 1 to 3 and what shares their shape, such as SmolLM2 (Touvron et al., arXiv 2302.13971; Grattafiori et al., arXiv 2407.21783).</summary>
internal sealed class LlamaSpec : ArchitectureSpec
{
    public override string Name => "llama";

    public override ModelGraph Build(GgufFile file)
    {
        RefuseVariants(file.Metadata);
        ModelConfig config = ModelConfig.Read(file);
        var graph = new ModelGraphBuilder(file, config);

        // llama.cpp's converter permutes the rows of q and k, so that RoPE's pairs are neighbours.
        RopeSpec rope = graph.Rope(config.RopeDims, config.RopeTheta, interleaved: true, graph.FindVector("rope_freqs.weight", config.RopeDims / 2));

        RowBuffer residual = TokenEmbedding.Emit(graph);
        for (int layer = 0; layer < config.Layers; layer++)
        {
            graph.BeginLayer();
            GroupedQueryAttention.Emit(graph, residual, rope);
            SwiGluMlp.Emit(graph, residual);
        }

        OutputHead.Emit(graph, residual);
        return graph.Build();
    }

    private static void RefuseVariants(GgufMetadata metadata)
    {
        if (metadata.FindInt32("llama.expert_count", 0, int.MaxValue) is > 0)
        {
            throw metadata.Invalid("llama.expert_count", "makes this a mixture of experts, which is not supported");
        }

        if (metadata.FindString("llama.rope.scaling.type") is { } scaling and not "none")
        {
            throw metadata.Invalid("llama.rope.scaling.type", $"is \"{scaling}\", which is not supported; supported: none");
        }

        if (metadata.FindInt32("split.count", 0, int.MaxValue) is > 1)
        {
            throw metadata.Invalid("split.count", "makes this a part of a model; join the parts to one file first");
        }
    }
}
