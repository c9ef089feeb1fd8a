using Serving.Engine.Execution;
using Serving.Engine.KvCache;

namespace Serving.Cli.Bench.Engine;

/// <summary>What the engine does with one model on this machine.</summary>
internal sealed record EngineReport(
    BenchMachine Machine, ModelDescription Model, KvDataType KvType, int Threads, int PromptTokens, MachineBounds Bounds, EngineMemory Memory, IReadOnlyList<EngineFigure> Figures);

/// <summary>One phase at one size.</summary>
/// <param name="Phase"><c>prefill</c> or <c>decode</c>.</param>
/// <param name="Rows">Rows (tokens) of a step: those of a prompt's chunk, or one of each stream.</param>
/// <param name="TokensPerSecond">The median round's.</param>
/// <param name="StepMs">The median round's mean step.</param>
/// <param name="WeightBytesPerSecond">Weights that the steps had to read, over their time.</param>
/// <param name="OperationsPerSecond">Additions and multiplications of the matrix products, over the time of the whole steps.</param>
/// <param name="AllocatedBytesPerStep">On the engine's thread, in the last round.</param>
internal sealed record EngineFigure(
    string Phase, int Rows, double TokensPerSecond, double StepMs, double WeightBytesPerSecond, double OperationsPerSecond, double AllocatedBytesPerStep)
{
    public const string Prefill = "prefill";
    public const string Decode = "decode";
}

/// <summary>Where the memory goes, in bytes.</summary>
/// <param name="Weights">Packed and mapped weights.</param>
/// <param name="KvPool">All KV blocks.</param>
/// <param name="Activations">Row buffers, logits and RoPE tables.</param>
/// <param name="ManagedHeap">Objects of the runtime, after the measurements.</param>
/// <param name="Resident">What the system says this process holds; null where it does not say.</param>
internal sealed record EngineMemory(long Weights, long KvPool, long Activations, long ManagedHeap, long? Resident)
{
    /// <summary>Resident memory that is none of these: code, the runtime, the model's file as far as it was read.</summary>
    public long? Other => Resident - Weights - KvPool - Activations - ManagedHeap;
}
