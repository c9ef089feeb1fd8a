namespace Serving.Engine.KvCache;

/// <summary>How one number of the KV cache is stored.</summary>
public enum KvDataType
{
    Float32,
    Float16,
}

/// <summary>
/// Shape of the KV cache of one model. A block holds <see cref="BlockSize"/> token slots of every layer; inside a block one layer is
/// contiguous, as <c>[K|V][kv head][slot][dim]</c>.
/// </summary>
public sealed record KvCacheLayout(int Layers, int KvHeads, int HeadDim, int BlockSize, KvDataType DataType)
{
    /// <summary>Bytes of one number.</summary>
    public int ElementBytes => DataType == KvDataType.Float32 ? 4 : 2;

    /// <summary>Bytes of one token in one layer, K and V together.</summary>
    public int BytesPerTokenPerLayer => 2 * KvHeads * HeadDim * ElementBytes;

    /// <summary>Bytes of one token in all layers: what the transfer of a token costs.</summary>
    public int BytesPerToken => Layers * BytesPerTokenPerLayer;

    /// <summary>Bytes of one layer of one block.</summary>
    public int BytesPerLayerBlock => BlockSize * BytesPerTokenPerLayer;

    /// <summary>Bytes of one block, all layers.</summary>
    public int BytesPerBlock => Layers * BytesPerLayerBlock;

    /// <summary>Blocks that hold <paramref name="tokens"/> tokens.</summary>
    public int BlocksFor(int tokens) => (tokens + BlockSize - 1) / BlockSize;
}
