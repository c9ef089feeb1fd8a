using Serving.Engine;
using Serving.Engine.Execution;
using Serving.Transfer;

namespace Serving.Worker.Prefill;

/// <summary>The blocks of one sequence as the two ends of a KV transfer see them: block <c>i</c> of the transfer is the sequence's block <c>i</c>.</summary>
internal sealed class SequenceKv(IModelExecutor executor, ReadOnlyMemory<BlockId> blocks) : IKvSource, IKvSink
{
    /// <summary>The shape of a transfer of a sequence's first <paramref name="tokens"/> tokens.</summary>
    public static KvTransferShape ShapeOf(IModelExecutor executor, int tokens) =>
        new(executor.KvLayout.Layers, tokens, executor.KvLayout.BlockSize, executor.KvLayout.BytesPerTokenPerLayer);

    public void Read(int layer, int blockIndex, int slots, Span<byte> destination) =>
        executor.ExportBlock(layer, blocks.Span[blockIndex], slots, destination);

    public void Write(int layer, int blockIndex, int slots, ReadOnlySpan<byte> source) =>
        executor.ImportBlock(layer, blocks.Span[blockIndex], slots, source);
}
