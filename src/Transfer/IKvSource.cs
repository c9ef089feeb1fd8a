namespace Serving.Transfer;

/// <summary>Where a transfer's bytes come from: the KV storage of the worker that computed the prompt.</summary>
public interface IKvSource
{
    /// <summary>
    /// Copies the first <paramref name="slots"/> token slots of one layer of a block into <paramref name="destination"/>, whose length is
    /// exactly <c>slots × bytes per token per layer</c>. Called by one thread at a time, in any order of layers and blocks, each pair once an attempt.
    /// </summary>
    /// <param name="layer">Layer, from 0.</param>
    /// <param name="blockIndex">Block of this transfer, from 0: an index into the sequence's blocks, not an id of the pool.</param>
    void Read(int layer, int blockIndex, int slots, Span<byte> destination);
}
