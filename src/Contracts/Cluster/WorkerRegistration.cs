using System.Text.Json.Serialization;

namespace Serving.Contracts.Cluster;

/// <summary>The phase that a worker's home pool computes.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<WorkerRole>))]
public enum WorkerRole
{
    Prefill,
    Decode,
}

/// <summary>What a worker says of itself in the registry, under a lease that it renews while it lives.</summary>
/// <param name="Id">Unique and new at every start: <c>decode-7f3a91</c>.</param>
/// <param name="Role">The worker's home pool.</param>
/// <param name="Address"><c>http://host:port</c> of its internal API.</param>
/// <param name="Models">The models that it has loaded, warm and ready.</param>
/// <param name="Pid">Its process on its node, for people.</param>
/// <param name="StartedAt">When the process started.</param>
/// <param name="Draining">True once it takes no new requests.</param>
public sealed record WorkerRegistration(
    string Id,
    WorkerRole Role,
    string Address,
    IReadOnlyList<ServedModel> Models,
    int Pid,
    DateTimeOffset StartedAt,
    bool Draining);

/// <summary>A model as a worker serves it.</summary>
/// <param name="Name">The name that clients use.</param>
/// <param name="KvFingerprint">What the bytes of its KV cache depend on; only workers that agree on it can hand over.</param>
/// <param name="ContextLength">Most tokens of prompt and answer together.</param>
/// <param name="CreatedAt">The model file's time, shown by <c>/v1/models</c>.</param>
/// <param name="OwnedBy">The organisation that the model file names.</param>
/// <param name="Kind">What it can do.</param>
/// <param name="EmbeddingWidth">Elements of its embeddings; 0: it gives none.</param>
public sealed record ServedModel(
    string Name,
    string KvFingerprint,
    int ContextLength,
    DateTimeOffset CreatedAt,
    string OwnedBy,
    ModelKind Kind = ModelKind.Generative,
    int EmbeddingWidth = 0);

/// <summary>What a model can do.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ModelKind>))]
public enum ModelKind
{
    /// <summary>Generates text, and embeds it by the mean of its hidden states.</summary>
    Generative,

    /// <summary>Embeds texts, and nothing else: only prefill workers have it.</summary>
    Embedding,
}

/// <summary>What a worker reports of its load, pushed whenever it changes and once a second.</summary>
/// <param name="WorkerId">The worker's <see cref="WorkerRegistration.Id"/>.</param>
/// <param name="RunningSequences">Sequences in the running batch.</param>
/// <param name="WaitingSequences">Sequences that wait for a place, for KV blocks or for remote KV.</param>
/// <param name="PendingPromptTokens">Prompt tokens accepted and not computed yet: what join-the-shortest-queue compares (Splitwise §4.1).</param>
/// <param name="KvBlocksUsed">KV blocks that sequences hold.</param>
/// <param name="KvBlocksTotal">KV blocks of the pool.</param>
public sealed record WorkerLoad(
    string WorkerId,
    int RunningSequences,
    int WaitingSequences,
    long PendingPromptTokens,
    int KvBlocksUsed,
    int KvBlocksTotal);

/// <summary>The answer of <c>/internal/state</c>.</summary>
/// <param name="Load">The load at this moment.</param>
/// <param name="OpenLeases">KV transfers under way, in or out.</param>
/// <param name="ComputedPromptTokens">Prompt tokens that this worker has computed since it started.</param>
/// <param name="GeneratedTokens">Tokens that it has sampled since it started.</param>
/// <param name="KvBytesReceived">KV payload bytes received since it started.</param>
/// <param name="KvBytesSent">KV payload bytes sent since it started.</param>
/// <param name="ComputePath">The kernels in use: <c>int8-blocks-v5/avx2</c>, <c>fp32</c>.</param>
/// <param name="Memory">Where its memory goes.</param>
public sealed record WorkerState(
    WorkerRegistration Worker,
    WorkerLoad Load,
    int OpenLeases,
    long ComputedPromptTokens,
    long GeneratedTokens,
    long KvBytesReceived,
    long KvBytesSent,
    string ComputePath,
    WorkerMemory Memory);

/// <summary>Where a worker's memory goes, in bytes: what its models take, and what the system counts for the process at this moment.</summary>
/// <param name="KvBytes">KV pools.</param>
/// <param name="OwnWeightBytes">Weights in memory of this worker alone.</param>
/// <param name="MappedWeightBytes">Weights in mapped files, whose pages workers of one machine share.</param>
/// <param name="ScratchBytes">Row buffers and tables.</param>
/// <param name="ManagedBytes">Objects of the .NET heap.</param>
/// <param name="Collections">Garbage collections of that heap since the process began.</param>
/// <param name="PauseMilliseconds">How long they have stopped the process's threads, together.</param>
/// <param name="ResidentBytes">The process's resident set, everything together; pages that others map too count in full.</param>
/// <param name="ResidentFileBytes">Of these, pages of files: mapped weights and programs.</param>
public sealed record WorkerMemory(
    long KvBytes,
    long OwnWeightBytes,
    long MappedWeightBytes,
    long ScratchBytes,
    long ManagedBytes,
    int Collections,
    double PauseMilliseconds,
    long ResidentBytes,
    long ResidentFileBytes);

/// <summary>JSON of the records that live in Redis and in the workers' state answers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(WorkerRegistration))]
[JsonSerializable(typeof(WorkerLoad))]
[JsonSerializable(typeof(WorkerState))]
public sealed partial class ClusterJson : JsonSerializerContext;
