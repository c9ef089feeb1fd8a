namespace Serving.Engine.KvCache;

/// <summary>How one number of the KV cache is stored.</summary>
public enum KvDataType
{
    Float32,
    Float16,

    /// <summary>Signed bytes under one fp32 scale for each token's key of a head, and one for its value.</summary>
    Int8,
}

/// <summary>
/// Shape of the KV cache of one model. A block holds <see cref="BlockSize"/> token slots of the layers of one group; inside a block one layer is
/// contiguous: keys as <c>[kv head][key dim][slot]</c>, then values as <c>[kv head][slot][value dim]</c>, then scales as <c>[K|V][kv head][slot]</c>. Keys lie across the slots because attention adds up
/// products over the numbers of a key and sums of values over the slots: so both read whole registers.
/// </summary>
/// <param name="ValuesInKeys">Whether a value is the beginning of its key and not stored by itself: latent attention (DeepSeek-V2, arXiv 2405.04434).</param>
public sealed record KvCacheLayout(int Layers, int KvHeads, int KeyDim, int ValueDim, int BlockSize, KvDataType DataType, bool ValuesInKeys = false)
{
    /// <summary>How a block is laid out: workers that lay it out otherwise cannot hand over.</summary>
    public const string Arrangement = "keys across slots";

    /// <summary>Which layers share blocks. Default: all.</summary>
    public KvGroups Groups { get; init; } = KvGroups.Single(Layers);

    /// <summary>Bytes of one number.</summary>
    public int ElementBytes => DataType switch
    {
        KvDataType.Float32 => 4,
        KvDataType.Float16 => 2,
        _ => 1,
    };

    /// <summary>Scales of a head in one token: none, or one for its key and one for its value, which share it where values lie in the keys.</summary>
    public int ScalesPerHead => DataType != KvDataType.Int8 ? 0 : ValuesInKeys ? 1 : 2;

    /// <summary>Numbers of a head's value that are stored.</summary>
    public int StoredValueDim => ValuesInKeys ? 0 : ValueDim;

    /// <summary>Bytes of one token in one layer, K and V together.</summary>
    public int BytesPerTokenPerLayer => KvHeads * (((KeyDim + StoredValueDim) * ElementBytes) + (ScalesPerHead * sizeof(float)));

    /// <summary>Bytes of one token in all layers: what the transfer of a token costs.</summary>
    public int BytesPerToken => Layers * BytesPerTokenPerLayer;

    /// <summary>Bytes of the keys in one layer of one block: where its values begin.</summary>
    public int KeyBytesPerLayerBlock => BlockSize * KvHeads * KeyDim * ElementBytes;

    /// <summary>Bytes of keys and values in one layer of one block: where its scales begin.</summary>
    public int NumberBytesPerLayerBlock => BlockSize * KvHeads * (KeyDim + StoredValueDim) * ElementBytes;

    /// <summary>Bytes of one layer of one block.</summary>
    public int BytesPerLayerBlock => BlockSize * BytesPerTokenPerLayer;

    /// <summary>Bytes of one block: the layers of its group.</summary>
    public int BytesPerBlock => Groups.LayersPerBlock * BytesPerLayerBlock;

    /// <summary>Blocks of each group that hold <paramref name="tokens"/> tokens.</summary>
    public int BlocksFor(int tokens) => (tokens + BlockSize - 1) / BlockSize;

    /// <summary>Token slots, in all layers, of so many blocks: the longest sequence while its windows have passed nothing.</summary>
    public int TokensIn(int blocks) => checked(blocks / Groups.Count * BlockSize);
}
