using Serving.Engine.Execution.Cpu;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;
using Serving.Engine.Models;

namespace Serving.Engine.Execution;

/// <summary>Loads a model file for the processor.</summary>
public static class ModelLoader
{
    /// <summary>Loads a model by its path (<see cref="ModelSource.Open"/>). The executor keeps the files mapped until it is disposed if weights that need no packing are read where they lie.</summary>
    /// <param name="pool">The threads that run it; they stay the caller's.</param>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="ModelFormatException">The file is not one that this engine can run.</exception>
    public static CpuModelExecutor Load(string path, ModelLoadOptions options, ComputePool pool)
    {
        ArgumentNullException.ThrowIfNull(options);
        using ModelSource source = ModelSource.Open(path);
        return Load(source, options, pool);
    }

    /// <summary>Loads a model from an opened source. The caller may dispose it at once; if weights are read in its files, they stay mapped until the executor is disposed too.</summary>
    /// <exception cref="ModelFormatException">The file is not one that this engine can run.</exception>
    public static CpuModelExecutor Load(ModelSource source, ModelLoadOptions options, ComputePool pool)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(pool);
        options.Validate();

        ModelGraph graph = ModelGraph.Build(source, options.ContextTokensMax);
        ModelConfig config = graph.Config;
        NumericClass numericClass = CreateClass(options.ComputeClass);
        KvCacheLayout layout = CreateLayout(graph, options);
        var description = new ModelDescription(
            config.Name,
            config.Architecture,
            config.Layers,
            config.VocabularySize,
            ContextLength(config, options),
            KvFingerprint.Compute(source, numericClass, layout),
            numericClass.Name,
            config.Width);

        ModelWeights weights = ModelWeights.Load(source, graph, numericClass, pool, options.WeightCache, options.ComputeClass.ToString().ToLowerInvariant());
        source.ReleasePages();
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

    /// <summary>The arithmetic of a compute class, with the kernels that measured best on this machine.</summary>
    public static NumericClass CreateClass(ComputeClass computeClass) => computeClass switch
    {
        ComputeClass.Fp32 => new Fp32NumericClass(),
        ComputeClass.Fast => new Int8BlockNumericClass(),
        _ => throw new ArgumentOutOfRangeException(nameof(computeClass), computeClass, "There is no such compute class."),
    };

    internal static KvCacheLayout CreateLayout(ModelGraph graph, ModelLoadOptions options)
    {
        KvDataType ofClass = options.ComputeClass == ComputeClass.Fp32 ? KvDataType.Float32 : KvDataType.Float16;
        KvShape kv = graph.Kv;
        return new KvCacheLayout(
            graph.Config.Layers, kv.KvHeads, kv.KeyDim, kv.ValueDim, options.BlockSize, options.KvDataType ?? ofClass, kv.ValuesInKeys)
        {
            Groups = KvGroups.Of(Windows(graph, options)),
        };
    }

    /// <summary>How many tokens each layer sees; 0: all that a sequence can have.</summary>
    private static int[] Windows(ModelGraph graph, ModelLoadOptions options)
    {
        // The same for every size of the storage, so that its blocks are as large as was estimated.
        int tokensMax = Math.Min(graph.Config.ContextLength, options.ContextTokensMax);
        var windows = new int[graph.Config.Layers];
        foreach (Operation operation in graph.Operations)
        {
            if (operation is Attend attend && attend.Attention.Window < tokensMax)
            {
                windows[attend.Layer] = attend.Attention.Window;
            }
        }

        return windows;
    }
}
