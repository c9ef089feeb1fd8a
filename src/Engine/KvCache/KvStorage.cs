using System.Runtime.Intrinsics;
using Serving.Engine.Formats.Blocks;
using Serving.Engine.Kernels;

namespace Serving.Engine.KvCache;

/// <summary>The memory of a KV cache: blocks one after the other, in each the layers of <see cref="KvCacheLayout"/>. The system backs it as it is first written.</summary>
public sealed unsafe class KvStorage : IDisposable
{
    private readonly NativeBuffer _memory;

    public KvStorage(KvCacheLayout layout, int blocks)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentOutOfRangeException.ThrowIfLessThan(blocks, 1);
        if (layout.KvHeads < 1 || layout.KeyDim < 1 || layout.ValueDim < 1 || (layout.ValuesInKeys && layout.ValueDim > layout.KeyDim))
        {
            throw new ArgumentException($"There is no KV cache of the layout {layout}.", nameof(layout));
        }

        Layout = layout;
        BlockCount = blocks;
        _memory = new NativeBuffer((long)blocks * layout.BytesPerBlock);
    }

    public KvCacheLayout Layout { get; }

    public int BlockCount { get; }

    /// <summary>The bytes of one layer of a block, as <see cref="KvCacheLayout"/> lays them.</summary>
    public byte* LayerAddress(int layer, BlockId block)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)layer, (uint)Layout.Layers, nameof(layer));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)block.Value, (uint)BlockCount, nameof(block));
        return _memory.Address + ((long)block.Value * Layout.BytesPerBlock) + ((long)layer * Layout.BytesPerLayerBlock);
    }

    /// <summary>Stores one token's K and V of a layer, each <c>[kv head][dim]</c> in fp32; halves are rounded to nearest, ties to even.</summary>
    /// <param name="v">Not read where values lie in the keys.</param>
    public void Write(int layer, BlockId block, int slot, float* k, float* v)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)slot, (uint)Layout.BlockSize, nameof(slot));
        byte* destination = LayerAddress(layer, block);
        WriteHeads(k, Layout.KeyDim, slot, destination);
        WriteHeads(v, Layout.StoredValueDim, slot, destination + Layout.KeyBytesPerLayerBlock);
    }

    /// <summary>Copies the first <paramref name="slots"/> slots of one layer of a block out, packed as <c>[kv head][slots][key dim]</c>, then so the values.</summary>
    public void Export(int layer, BlockId block, int slots, Span<byte> destination)
    {
        CheckRun(slots, destination.Length, nameof(destination));
        byte* source = LayerAddress(layer, block);
        int packed = 0;
        for (int run = 0; run < 2 * Layout.KvHeads; run++)
        {
            (int start, int byteCount) = Run(run, slots);
            new ReadOnlySpan<byte>(source + start, byteCount).CopyTo(destination[packed..]);
            packed += byteCount;
        }
    }

    /// <summary>Copies <paramref name="slots"/> slots of one layer of a block in, packed as <see cref="Export"/> does.</summary>
    public void Import(int layer, BlockId block, int slots, ReadOnlySpan<byte> source)
    {
        CheckRun(slots, source.Length, nameof(source));
        byte* destination = LayerAddress(layer, block);
        int packed = 0;
        for (int run = 0; run < 2 * Layout.KvHeads; run++)
        {
            (int start, int byteCount) = Run(run, slots);
            source.Slice(packed, byteCount).CopyTo(new Span<byte>(destination + start, byteCount));
            packed += byteCount;
        }
    }

    /// <summary>Copies one block, all its layers, over another: what copy-on-write does when a sequence is to write into a block that others hold too.</summary>
    public void CopyBlock(BlockId from, BlockId to)
    {
        byte* source = LayerAddress(0, from);
        byte* destination = LayerAddress(0, to);
        new ReadOnlySpan<byte>(source, Layout.BytesPerBlock).CopyTo(new Span<byte>(destination, Layout.BytesPerBlock));
    }

    public void Dispose() => _memory.Dispose();

    private void WriteHeads(float* source, int dim, int slot, byte* destination)
    {
        for (int head = 0; head < Layout.KvHeads && dim > 0; head++, source += dim)
        {
            byte* row = destination + (((head * Layout.BlockSize) + slot) * (long)dim * Layout.ElementBytes);
            if (Layout.DataType == KvDataType.Float32)
            {
                new ReadOnlySpan<float>(source, dim).CopyTo(new Span<float>(row, dim));
                continue;
            }

            int i = 0;
            for (; i <= dim - VectorMath.Lanes; i += VectorMath.Lanes)
            {
                HalfBits.FromSingle(Vector256.Load(source + i)).Store((short*)row + i);
            }

            for (; i < dim; i++)
            {
                ((short*)row)[i] = HalfBits.FromSingle(Vector256.Create(source[i])).ToScalar();
            }
        }
    }

    /// <summary>The used part of a head's keys, or of its values: where it begins in the layer and its bytes.</summary>
    private (int Start, int ByteCount) Run(int run, int slots)
    {
        bool isKey = run < Layout.KvHeads;
        int rowBytes = (isKey ? Layout.KeyDim : Layout.StoredValueDim) * Layout.ElementBytes;
        int start = isKey
            ? run * Layout.BlockSize * rowBytes
            : Layout.KeyBytesPerLayerBlock + ((run - Layout.KvHeads) * Layout.BlockSize * rowBytes);
        return (start, slots * rowBytes);
    }

    private void CheckRun(int slots, int byteCount, string name)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)slots, (uint)Layout.BlockSize, nameof(slots));
        int expected = slots * Layout.BytesPerTokenPerLayer;
        if (byteCount != expected)
        {
            throw new ArgumentException($"{slots} slots of one layer take {expected} bytes, but {byteCount} were given.", name);
        }
    }
}
