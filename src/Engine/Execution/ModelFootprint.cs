using Serving.Engine.Execution.Cpu;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;
using Serving.Engine.Models;

namespace Serving.Engine.Execution;

/// <summary>The memory that a model will take, known before any of it is loaded: what a memory budget is divided by.</summary>
/// <param name="WeightBytes">Repacked weights and vectors: memory of this executor alone.</param>
/// <param name="MappedBytes">Weights that are read where they lie in the model's files. Executors of one machine share their pages, and the system may take pages
/// back; but a step reads nearly all of them, so a budget counts them, once for each executor: too careful where they are shared, never too little.</param>
/// <param name="KvBytesPerBlock">The KV of one block's tokens in all layers: a block of each group.</param>
/// <param name="ScratchBytes">Row buffers and RoPE tables.</param>
public sealed record ModelFootprint(long WeightBytes, long MappedBytes, long KvBytesPerBlock, long ScratchBytes)
{
    /// <param name="options"><see cref="ModelLoadOptions.KvBlocks"/> enters the scratch only, by the longest sequence that they allow.</param>
    /// <exception cref="ModelFormatException">The file is not one that this engine can run.</exception>
    public static ModelFootprint Estimate(ModelSource source, ModelLoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();

        ModelGraph graph = ModelGraph.Build(source, options.ContextTokensMax);
        NumericClass numericClass = ModelLoader.CreateClass(options.ComputeClass);
        (long weights, long mapped) = ModelWeights.ByteCount(graph, numericClass);
        long scratch = StepScratch.ByteCount(graph, numericClass, options.StepRowsMax)
            + ExpertMixers.ByteCount(graph, numericClass, options.StepRowsMax);
        foreach (RopeSpec rope in graph.Ropes)
        {
            scratch += RopeTable.ByteCount(ModelLoader.ContextLength(graph.Config, options), rope.Dims);
        }

        KvCacheLayout layout = ModelLoader.CreateLayout(graph, options);
        return new ModelFootprint(weights, mapped, (long)layout.BytesPerBlock * layout.Groups.Count, scratch);
    }
}
