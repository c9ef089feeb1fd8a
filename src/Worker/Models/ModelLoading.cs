using Microsoft.Extensions.Logging;
using Serving.Contracts.Cluster;
using Serving.Engine.Execution;
using Serving.Engine.Execution.Cpu;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;
using Serving.Engine.PackedWeights;
using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;
using Serving.Text.Templates;
using Serving.Text.Tokenization;
using Serving.Text.ToolCalls;
using Serving.Worker.Loop;

namespace Serving.Worker.Models;

/// <summary>Makes a <see cref="ModelRuntime"/> of a model file.</summary>
internal sealed class ModelLoading(TimeProvider time, ILoggerFactory loggers)
{
    /// <summary>A KV pool that holds less than this is of no use.</summary>
    private const int KvTokensMin = 256;

    private const int BlockSize = 16;

    /// <exception cref="WorkerStartException">The model does not fit into its share of the memory.</exception>
    /// <exception cref="Engine.Formats.ModelFormatException">The file cannot be run.</exception>
    public ModelRuntime Load(WorkerModelOptions model, WorkerOptions worker, ComputePool pool, long budgetBytes)
    {
        using ModelSource source = ModelSource.Open(model.Path);
        ModelLoadOptions options = new()
        {
            ComputeClass = worker.Compute == WorkerCompute.Fp32 ? ComputeClass.Fp32 : ComputeClass.Fast,
            KvDataType = worker.KvType,
            StepRowsMax = worker.StepTokensMax,
            KvBlocks = Math.Max(1, worker.KvTokensMax / BlockSize),
            BlockSize = BlockSize,
            WeightCache = Cache(worker),
        };
        ModelFootprint footprint = ModelFootprint.Estimate(source, options);
        options = options with
        {
            KvBlocks = MemoryLedger.KvBlocks(model.Name, footprint, BlockSize, budgetBytes, worker.KvTokensMax, KvTokensMin),
        };

        ModelText text = source.ReadText();
        ITokenizer tokenizer = text.Tokenizer;
        AnswerFormat format = AnswerFormat.Of(tokenizer, text.ChatTemplate, model.ToolParser);
        CpuModelExecutor executor = ModelLoader.Load(source, options, pool);
        try
        {
            return new ModelRuntime(
                new ServedModel(
                    model.Name, executor.Model.KvFingerprint, executor.Model.ContextLength, source.LastWriteTimeUtc, text.Organization ?? "unknown",
                    ModelKind.Generative, executor.Model.Width),
                executor,
                new EngineLoop(executor, LoopOptions(model, worker), time, loggers.CreateLogger<EngineLoop>(), pool),
                tokenizer,
                Prompts(text, format),
                format,
                new GrammarCompiler(() => TokenizerVocabulary.Of(tokenizer, executor.Model.VocabularySize)),
                text.SamplingDefaults,
                new ModelMemory(
                    (long)executor.KvBlockCount * executor.KvLayout.BytesPerBlock, executor.WeightBytes, executor.MappedBytes, footprint.ScratchBytes, executor.WeightCache),
                (int[])[.. tokenizer.EndOfGenerationIds]);
        }
        catch
        {
            executor.Dispose();
            throw;
        }
    }

    private WeightCache? Cache(WorkerOptions worker) =>
        worker.WeightCache.Length == 0 ? null : new WeightCache(new WeightCacheOptions { Folder = worker.WeightCache, BytesMax = worker.WeightCacheBytesMax }, time);

    private PromptEncoder Prompts(ModelText text, AnswerFormat format) => new(
        text.Tokenizer,
        text.ChatTemplate is { } source ? ChatTemplate.Parse(source) : null,
        format,
        SpecialText(text.Tokenizer, text.Tokenizer.BeginOfTextId),
        SpecialText(text.Tokenizer, text.Tokenizer.EndOfTextId),
        time);

    private static string? SpecialText(ITokenizer tokenizer, int? id) =>
        id is { } token ? tokenizer.Decode([token], skipSpecial: false) : null;

    private static EngineLoopOptions LoopOptions(WorkerModelOptions model, WorkerOptions worker) => new()
    {
        ThreadName = $"engine {model.Name}",
        Scheduling = new SchedulerOptions
        {
            BatchTokensMax = worker.StepTokensMax,
            RunningSequencesMax = Math.Min(worker.RunningSequencesMax, worker.StepTokensMax),
            WaitingSequencesMax = worker.WaitingSequencesMax,
            WaitingSequencesPerTenantMax = worker.WaitingSequencesPerTenantMax,
            StepTimeMax = TimeSpan.FromMilliseconds(worker.StepMillisecondsMax),
            PrefixCache = worker.PrefixCache,
            DraftsMax = worker.DraftTokensMax,
        },
    };
}
