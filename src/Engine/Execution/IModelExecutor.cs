using Serving.Engine.KvCache;

namespace Serving.Engine.Execution;

/// <summary>
/// Runs steps of one model and owns its KV storage: the upper seam of the engine. <see cref="Execute"/> is called by one thread, the engine's;
/// <see cref="ExportBlock"/>, <see cref="ImportBlock"/> and <see cref="CopyBlock"/> may be called by others for blocks that no running step reads or writes.
/// </summary>
public interface IModelExecutor : IDisposable
{
    /// <summary>Layers, vocabulary, context and identity of the model.</summary>
    ModelDescription Model { get; }

    /// <summary>The shape of the KV storage.</summary>
    KvCacheLayout KvLayout { get; }

    /// <summary>Blocks of the KV storage.</summary>
    int KvBlockCount { get; }

    /// <summary>Most rows (tokens) of one step.</summary>
    int StepRowsMax { get; }

    /// <summary>
    /// Computes every row of <paramref name="plan"/>, writes the rows' K and V into their slots, and the logits of the rows that
    /// <see cref="StepPlan.LogitRows"/> names into <see cref="StepPlan.Logits"/>; hidden states are summed where <see cref="StepSequence.HiddenSum"/> asks for them.
    /// A row's result is bit-identical whatever else the step holds.
    /// </summary>
    void Execute(StepPlan plan);

    /// <summary>Copies the first <paramref name="slots"/> slots of one layer of a block out, packed as <see cref="KvStorage.Export"/> says.</summary>
    void ExportBlock(int layer, BlockId block, int slots, Span<byte> destination);

    /// <summary>Copies <paramref name="slots"/> slots of one layer of a block in, packed as <see cref="ExportBlock"/> does.</summary>
    void ImportBlock(int layer, BlockId block, int slots, ReadOnlySpan<byte> source);

    /// <summary>Copies one block, all its layers, over another (copy-on-write).</summary>
    void CopyBlock(BlockId from, BlockId to);
}

/// <summary>What the rest of the engine needs to know of a loaded model.</summary>
/// <param name="Name">The model's own name, from its file.</param>
/// <param name="Architecture">The family: <c>llama</c>.</param>
/// <param name="Layers">Transformer layers.</param>
/// <param name="VocabularySize">Width of the logits.</param>
/// <param name="ContextLength">Most tokens of a sequence.</param>
/// <param name="KvFingerprint">What the bytes of the KV cache depend on: the file, the numeric class, the KV layout. Equal on workers that can hand over.</param>
/// <param name="ComputePath">Numeric class and instruction set: <c>int8-blocks-v5/avx2</c>, <c>fp32</c>.</param>
/// <param name="Width">Elements of a hidden state.</param>
public sealed record ModelDescription(
    string Name,
    string Architecture,
    int Layers,
    int VocabularySize,
    int ContextLength,
    string KvFingerprint,
    string ComputePath,
    int Width);
