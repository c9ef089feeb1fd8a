using Serving.Engine.Execution.Cpu;
using Serving.Engine.Formats.Gguf;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;
using Serving.Engine.Models;

namespace Serving.Engine.Execution;

/// <summary>Loads a model file for the processor.</summary>
public static class ModelLoader
{
    // The KV cache is read in vectors of eight.
    private const int HeadDimMultiple = 8;

    /// <summary>Loads a model. The file is closed again: the weights have been repacked.</summary>
    /// <param name="pool">The threads that run it; they stay the caller's.</param>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="Formats.ModelFormatException">The file is not one that this engine can run.</exception>
    public static CpuModelExecutor Load(string path, ModelLoadOptions options, ComputePool pool)
    {
        ArgumentNullException.ThrowIfNull(options);
        using GgufFile file = GgufFile.Open(path);
        return Load(file, options, pool);
    }

    /// <summary>Loads a model from an opened file, which the executor does not need afterwards.</summary>
    /// <exception cref="Formats.ModelFormatException">The file is not one that this engine can run.</exception>
    public static CpuModelExecutor Load(GgufFile file, ModelLoadOptions options, ComputePool pool)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(pool);
        options.Validate();

        ModelGraph graph = ModelGraph.Build(file);
        ModelConfig config = graph.Config;
        if (config.HeadDim % HeadDimMultiple != 0)
        {
            throw file.Metadata.Invalid($"{config.Architecture}.attention.key_length", $"makes heads of {config.HeadDim}, expected a multiple of {HeadDimMultiple}");
        }

        NumericClass numericClass = CreateClass(options.ComputeClass);
        KvCacheLayout layout = CreateLayout(config, options);
        var description = new ModelDescription(
            config.Name,
            config.Architecture,
            config.Layers,
            config.VocabularySize,
            ContextLength(config, options),
            KvFingerprint.Compute(file, numericClass, layout),
            numericClass.Name);

        ModelWeights weights = ModelWeights.Load(file, graph, numericClass);
        try
        {
            return new CpuModelExecutor(description, graph, weights, numericClass, layout, options, pool);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>The longest sequence: what the model was trained for, the options allow and the KV storage holds.</summary>
    internal static int ContextLength(ModelConfig config, ModelLoadOptions options) =>
        (int)Math.Min(Math.Min(config.ContextLength, options.ContextTokensMax), (long)options.KvBlocks * options.BlockSize);

    internal static NumericClass CreateClass(ComputeClass computeClass) => computeClass switch
    {
        ComputeClass.Fp32 => new Fp32NumericClass(),
        ComputeClass.Fast => new Int8BlockNumericClass(),
        _ => throw new ArgumentOutOfRangeException(nameof(computeClass), computeClass, "There is no such compute class."),
    };

    internal static KvCacheLayout CreateLayout(ModelConfig config, ModelLoadOptions options)
    {
        KvDataType ofClass = options.ComputeClass == ComputeClass.Fp32 ? KvDataType.Float32 : KvDataType.Float16;
        return new KvCacheLayout(config.Layers, config.KvHeads, config.HeadDim, options.BlockSize, options.KvDataType ?? ofClass);
    }
}
