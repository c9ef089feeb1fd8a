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
        if (layout.HeadDim % VectorMath.Lanes != 0)
        {
            throw new ArgumentException($"The KV cache needs a head dimension that is a multiple of {VectorMath.Lanes}, not {layout.HeadDim}.", nameof(layout));
        }

        Layout = layout;
        BlockCount = blocks;
        _memory = new NativeBuffer((long)blocks * layout.BytesPerBlock);
    }

    public KvCacheLayout Layout { get; }

    public int BlockCount { get; }

    /// <summary>The bytes of one layer of a block, <c>[K|V][kv head][slot][dim]</c>.</summary>
    public byte* LayerAddress(int layer, BlockId block)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)layer, (uint)Layout.Layers, nameof(layer));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)block.Value, (uint)BlockCount, nameof(block));
        return _memory.Address + ((long)block.Value * Layout.BytesPerBlock) + ((long)layer * Layout.BytesPerLayerBlock);
    }

    /// <summary>Stores one token's K and V of a layer, each <c>[kv head][dim]</c> in fp32; halves are rounded to nearest, ties to even.</summary>
    public void Write(int layer, BlockId block, int slot, float* k, float* v)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)slot, (uint)Layout.BlockSize, nameof(slot));
        int rowBytes = Layout.HeadDim * Layout.ElementBytes;
        byte* destination = LayerAddress(layer, block) + (slot * rowBytes);
        WriteHeads(k, destination);
        WriteHeads(v, destination + (Layout.BytesPerLayerBlock / 2));
    }

    /// <summary>Copies the first <paramref name="slots"/> slots of one layer of a block out, packed as <c>[K|V][kv head][slots][dim]</c>.</summary>
    public void Export(int layer, BlockId block, int slots, Span<byte> destination)
    {
        int runBytes = CheckRun(slots, destination.Length, nameof(destination));
        byte* source = LayerAddress(layer, block);
        int strideBytes = Layout.BlockSize * Layout.HeadDim * Layout.ElementBytes;
        for (int run = 0; run < 2 * Layout.KvHeads; run++)
        {
            new ReadOnlySpan<byte>(source + (run * strideBytes), runBytes).CopyTo(destination[(run * runBytes)..]);
        }
    }

    /// <summary>Copies <paramref name="slots"/> slots of one layer of a block in, packed as <see cref="Export"/> does.</summary>
    public void Import(int layer, BlockId block, int slots, ReadOnlySpan<byte> source)
    {
        int runBytes = CheckRun(slots, source.Length, nameof(source));
        byte* destination = LayerAddress(layer, block);
        int strideBytes = Layout.BlockSize * Layout.HeadDim * Layout.ElementBytes;
        for (int run = 0; run < 2 * Layout.KvHeads; run++)
        {
            source.Slice(run * runBytes, runBytes).CopyTo(new Span<byte>(destination + (run * strideBytes), runBytes));
        }
    }

    public void Dispose() => _memory.Dispose();

    private void WriteHeads(float* source, byte* destination)
    {
        int strideBytes = Layout.BlockSize * Layout.HeadDim * Layout.ElementBytes;
        for (int head = 0; head < Layout.KvHeads; head++, source += Layout.HeadDim, destination += strideBytes)
        {
            if (Layout.DataType == KvDataType.Float32)
            {
                new ReadOnlySpan<float>(source, Layout.HeadDim).CopyTo(new Span<float>(destination, Layout.HeadDim));
                continue;
            }

            for (int i = 0; i < Layout.HeadDim; i += VectorMath.Lanes)
            {
                HalfBits.FromSingle(Vector256.Load(source + i)).Store((short*)destination + i);
            }
        }
    }

    private int CheckRun(int slots, int byteCount, string name)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)slots, (uint)Layout.BlockSize, nameof(slots));
        int runBytes = slots * Layout.HeadDim * Layout.ElementBytes;
        int expected = 2 * Layout.KvHeads * runBytes;
        if (byteCount != expected)
        {
            throw new ArgumentException($"{slots} slots of one layer take {expected} bytes, but {byteCount} were given.", name);
        }

        return runBytes;
    }
}
