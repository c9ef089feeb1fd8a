using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Serving.Engine.KvCache;

namespace Serving.Worker;

/// <summary>What a worker process serves and what it may use; configuration section <c>Worker</c>.</summary>
public sealed class WorkerOptions
{
    public const string Section = "Worker";

    /// <summary>The models to load. At least one.</summary>
    [Required]
    [ValidateEnumeratedItems]
    [MinLength(1, ErrorMessage = "Worker:Models is empty: name a model file (environment: Worker__Models__0__Path and Worker__Models__0__Name).")]
    public IList<WorkerModelOptions> Models { get; } = [];

    /// <summary>Compute threads. 0, the default: one for each processor.</summary>
    [Range(0, 1024)]
    public int Threads { get; set; }

    /// <summary>Bytes for weights, KV blocks and scratch together. 0, the default: six tenths of what the process may use.</summary>
    [Range(0, long.MaxValue)]
    public long MemoryBytes { get; set; }

    /// <summary>Folder where packed weights are kept, so that workers of one machine share their pages and start warm. Empty, the default: each worker packs into memory of its own.</summary>
    public string WeightCache { get; set; } = "";

    /// <summary>Most bytes of that folder. Default: 32 GiB.</summary>
    [Range(0, long.MaxValue)]
    public long WeightCacheBytesMax { get; set; } = 32L << 30;

    /// <summary>Port of the KV data plane; 0, the default, takes any free one.</summary>
    [Range(0, 65_535)]
    public int KvPort { get; set; }

    /// <summary><c>Fast</c>, the default: quantised weights and activations, fp16 KV. <c>Fp32</c>: the plain reference, fp32 KV.</summary>
    public WorkerCompute Compute { get; set; } = WorkerCompute.Fast;

    /// <summary>How the KV cache stores numbers: <c>Float32</c>, <c>Float16</c> or <c>Int8</c>. Workers that differ cannot hand over. Default: as <see cref="Compute"/> says.</summary>
    public KvDataType? KvType { get; set; }

    /// <summary>Most tokens that the KV pool of a model holds; less where the memory does not reach. Default: 65,536.</summary>
    [Range(64, 1 << 30)]
    public int KvTokensMax { get; set; } = 65_536;

    /// <summary>Whether computed KV blocks are kept for prompts with the same beginning, until their room is needed. Default: true.</summary>
    public bool PrefixCache { get; set; } = true;

    /// <summary>Most tokens that an engine step guesses by prompt lookup, over all sequences; 0: no speculation. Default: 16.</summary>
    [Range(0, 256)]
    public int DraftTokensMax { get; set; } = 16;

    /// <summary>Most tokens of one engine step: the chunk of a long prompt. Default: 256.</summary>
    [Range(1, 65_536)]
    public int StepTokensMax { get; set; } = 256;

    /// <summary>Most sequences of one engine step. Default: 64.</summary>
    [Range(1, 4096)]
    public int RunningSequencesMax { get; set; } = 64;

    /// <summary>Most sequences that wait; one more is refused with 503. Default: 256.</summary>
    [Range(1, 65_536)]
    public int WaitingSequencesMax { get; set; } = 256;

    /// <summary>Most of them that one API key may have waiting; one more is refused with 429. Default: 192.</summary>
    [Range(1, 65_536)]
    public int WaitingSequencesPerTenantMax { get; set; } = 192;

    /// <summary>How long an engine step should take, in milliseconds: prompt chunks are made so short. Default: 100.</summary>
    [Range(1, 60_000)]
    public int StepMillisecondsMax { get; set; } = 100;

    /// <summary>Threads of each sentence embedder. 0, the default: half of the compute threads, at least one.</summary>
    [Range(0, 1024)]
    public int EmbedderThreads { get; set; }

    /// <summary>Most texts that wait for a sentence embedder; a request with more than there is room for is refused with 503. Default: 4,096.</summary>
    [Range(1, 1 << 20)]
    public int EmbeddingTextsMax { get; set; } = 4096;
}

/// <summary>One model of a worker.</summary>
public sealed class WorkerModelOptions
{
    /// <summary>The name that clients use.</summary>
    [Required]
    public string Name { get; set; } = "";

    /// <summary>The GGUF file, the Hugging Face folder, or the <c>.onnx</c> file of a sentence embedder, which prefill workers load.</summary>
    [Required]
    public string Path { get; set; } = "";

    /// <summary>
    /// The form in which the model writes tool calls: <c>harmony</c>, <c>deepseek_v3</c>, <c>mistral</c>, <c>hermes</c>, <c>pythonic</c>, <c>llama3_json</c>,
    /// or <c>none</c>. Default: what its chat template says.
    /// </summary>
    [RegularExpression("harmony|deepseek_v3|mistral|hermes|pythonic|llama3_json|none", ErrorMessage = "There is no tool parser of that name: give harmony, deepseek_v3, mistral, hermes, pythonic, llama3_json or none.")]
    public string? ToolParser { get; set; }
}

/// <summary>The numeric class of a worker's models.</summary>
public enum WorkerCompute
{
    Fast,
    Fp32,
}
