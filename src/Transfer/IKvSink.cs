namespace Serving.Transfer;

/// <summary>Where a transfer's bytes go: the KV storage of the worker that decodes.</summary>
public interface IKvSink
{
    /// <summary>
    /// Stores the first <paramref name="slots"/> token slots of one layer of a block. Called by one thread at a time, in any order of layers
    /// and blocks, each pair at most once, with indices inside the lease's shape, and never again once <see cref="KvLease.Completion"/> has completed.
    /// It copies and returns: <see cref="KvLease.Abort"/> waits for a write that has begun.
    /// </summary>
    /// <param name="layer">Layer, from 0.</param>
    /// <param name="blockIndex">Block of this transfer, from 0: an index into the sequence's blocks, not an id of the pool.</param>
    void Write(int layer, int blockIndex, int slots, ReadOnlySpan<byte> source);
}
