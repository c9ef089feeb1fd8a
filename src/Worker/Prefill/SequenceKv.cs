using Serving.Engine;
using Serving.Engine.Execution;
using Serving.Transfer;

namespace Serving.Worker.Prefill;

/// <summary>
/// The blocks of one sequence from some block on, as the two ends of a KV transfer see them: block <c>i</c> of a layer of the transfer is block
/// <c>first + i</c> of the layer's KV group.
/// </summary>
/// <param name="blocks">The blocks of all groups, as <see cref="Loop.SequenceHandle.PromptBlocks"/> has them.</param>
/// <param name="firstToken">The first token of the transfer: a multiple of the block size.</param>
internal sealed class SequenceKv(IModelExecutor executor, ReadOnlyMemory<BlockId> blocks, int firstToken) : IKvSource, IKvSink
{
    private readonly int _blocksOfGroup = blocks.Length / executor.KvLayout.Groups.Count;
    private readonly int _first = firstToken / executor.KvLayout.BlockSize;

    /// <summary>The shape of a transfer of a sequence's first <paramref name="tokens"/> tokens.</summary>
    public static KvTransferShape ShapeOf(IModelExecutor executor, int tokens) =>
        new(executor.KvLayout.Layers, tokens, executor.KvLayout.BlockSize, executor.KvLayout.BytesPerTokenPerLayer);

    public void Read(int layer, int blockIndex, int slots, Span<byte> destination) =>
        executor.ExportBlock(layer, BlockOf(layer, blockIndex), slots, destination);

    public void Write(int layer, int blockIndex, int slots, ReadOnlySpan<byte> source) =>
        executor.ImportBlock(layer, BlockOf(layer, blockIndex), slots, source);

    private BlockId BlockOf(int layer, int index) => blocks.Span[(executor.KvLayout.Groups.GroupOf(layer) * _blocksOfGroup) + _first + index];
}
