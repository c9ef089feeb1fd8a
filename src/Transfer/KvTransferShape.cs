using System.Buffers.Binary;

namespace Serving.Transfer;

/// <summary>
/// How many bytes a transfer has and how they are cut: one frame for each layer of each block, the last block with only the slots that it
/// uses. Both ends know the shape before the first byte moves, so every frame is checked against it.
/// </summary>
public sealed record KvTransferShape
{
    /// <summary>Most bytes of one layer of one block, and so of a frame's payload.</summary>
    public const int LayerBlockBytesMax = 16 * 1024 * 1024;

    /// <summary>Most frames of one transfer: a receiver keeps one bit for each.</summary>
    public const int FramesMax = 64 * 1024 * 1024;

    internal const int WireSize = 16;

    public KvTransferShape(int layers, int tokens, int blockSize, int bytesPerTokenPerLayer)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(layers);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokens);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesPerTokenPerLayer);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(blockSize, ushort.MaxValue);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)blockSize * bytesPerTokenPerLayer, LayerBlockBytesMax, nameof(bytesPerTokenPerLayer));

        Layers = layers;
        Tokens = tokens;
        BlockSize = blockSize;
        BytesPerTokenPerLayer = bytesPerTokenPerLayer;
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)layers * Blocks, FramesMax, nameof(tokens));
    }

    public int Layers { get; }

    /// <summary>Tokens whose KV moves.</summary>
    public int Tokens { get; }

    /// <summary>Token slots of a full block.</summary>
    public int BlockSize { get; }

    /// <summary>Bytes of one token in one layer, K and V together.</summary>
    public int BytesPerTokenPerLayer { get; }

    /// <summary>Blocks that hold <see cref="Tokens"/>.</summary>
    public int Blocks => (int)(((long)Tokens + BlockSize - 1) / BlockSize);

    /// <summary>Data frames of the transfer.</summary>
    public int Frames => Layers * Blocks;

    /// <summary>Payload bytes of the transfer: <c>layers × bytes per token per layer × tokens</c>.</summary>
    public long Bytes => (long)Layers * BytesPerTokenPerLayer * Tokens;

    /// <summary>Payload bytes of a full block's frame.</summary>
    public int LayerBlockBytes => BlockSize * BytesPerTokenPerLayer;

    /// <summary>Slots that move of a block: all of them, except in a last block that is not full.</summary>
    public int SlotsOf(int blockIndex) => blockIndex == Blocks - 1 ? Tokens - (Blocks - 1) * BlockSize : BlockSize;

    public override string ToString() => $"{Layers} layers x {Tokens} tokens x {BytesPerTokenPerLayer} bytes in blocks of {BlockSize}";

    internal void Write(Span<byte> wire)
    {
        BinaryPrimitives.WriteInt32LittleEndian(wire, Layers);
        BinaryPrimitives.WriteInt32LittleEndian(wire[4..], Tokens);
        BinaryPrimitives.WriteInt32LittleEndian(wire[8..], BlockSize);
        BinaryPrimitives.WriteInt32LittleEndian(wire[12..], BytesPerTokenPerLayer);
    }

    /// <summary>Compares without building a shape from numbers that a peer chose.</summary>
    internal bool Matches(ReadOnlySpan<byte> wire)
    {
        Span<byte> own = stackalloc byte[WireSize];
        Write(own);
        return own.SequenceEqual(wire);
    }
}
