using Serving.Engine.Execution.Cpu;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;
using Serving.Engine.Models;

namespace Serving.Engine.Execution;

/// <summary>The memory that a model will take, known before any of it is loaded: what a memory budget is divided by.</summary>
/// <param name="WeightBytes">Repacked weights.</param>
/// <param name="KvBytesPerBlock">One KV block, all layers.</param>
/// <param name="ScratchBytes">Row buffers and RoPE tables.</param>
public sealed record ModelFootprint(long WeightBytes, long KvBytesPerBlock, long ScratchBytes)
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
        long weights = 0;
        foreach (MatrixWeight matrix in graph.Matrices)
        {
            weights += numericClass.PackedBytes(matrix.Data.Layout);
        }

        foreach (VectorWeight vector in graph.Vectors)
        {
            weights += (long)vector.Length * sizeof(float);
        }

        long scratch = StepScratch.ByteCount(graph, numericClass, options.StepRowsMax)
            + ExpertMixers.ByteCount(graph, numericClass, options.StepRowsMax);
        foreach (RopeSpec rope in graph.Ropes)
        {
            scratch += RopeTable.ByteCount(ModelLoader.ContextLength(graph.Config, options), rope.Dims);
        }

        KvCacheLayout layout = ModelLoader.CreateLayout(graph, options);
        return new ModelFootprint(weights, layout.BytesPerBlock, scratch);
    }
}
