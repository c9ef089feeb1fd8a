using System.Runtime.Intrinsics;
using Serving.Engine.Formats.Blocks;
using Serving.Engine.Kernels;

namespace Serving.Engine.KvCache;

/// <summary>The memory of a KV cache: blocks one after the other, in each the layers of one group (<see cref="KvGroups"/>). The system backs it as it is first written.</summary>
public sealed unsafe class KvStorage : IDisposable
{
    private readonly NativeBuffer _memory;

    // Of the layout, which would multiply them anew for every address.
    private readonly long _blockBytes;
    private readonly int _layerBytes;
    private readonly int _elementBytes;
    private readonly int _valuesOffset;
    private readonly int _scalesOffset;

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
        _blockBytes = layout.BytesPerBlock;
        _layerBytes = layout.BytesPerLayerBlock;
        _elementBytes = layout.ElementBytes;
        _valuesOffset = layout.KeyBytesPerLayerBlock;
        _scalesOffset = layout.NumberBytesPerLayerBlock;
        _memory = new NativeBuffer(blocks * _blockBytes);
    }

    public KvCacheLayout Layout { get; }

    public int BlockCount { get; }

    /// <summary>The bytes of one layer of a block, as <see cref="KvCacheLayout"/> lays them.</summary>
    public byte* LayerAddress(int layer, BlockId block)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)layer, (uint)Layout.Layers, nameof(layer));
        return BlockAddress(block) + ((long)Layout.Groups.PlaceOf(layer) * _layerBytes);
    }

    /// <summary>Where a head's key in a slot begins; its numbers are <see cref="KvCacheLayout.BlockSize"/> apart.</summary>
    public byte* KeyAddress(int layer, BlockId block, int head, int slot) =>
        LayerAddress(layer, block) + (((head * Layout.KeyDim * Layout.BlockSize) + slot) * _elementBytes);

    /// <summary>Where a head's value in a slot begins; its numbers lie one after the other.</summary>
    public byte* ValueAddress(int layer, BlockId block, int head, int slot) =>
        LayerAddress(layer, block) + _valuesOffset + (((head * Layout.BlockSize) + slot) * Layout.ValueDim * _elementBytes);

    /// <summary>Where the scale of a head's key in a slot lies; the next slot's follows.</summary>
    public float* KeyScaleAddress(int layer, BlockId block, int head, int slot) =>
        (float*)(LayerAddress(layer, block) + _scalesOffset) + (head * Layout.BlockSize) + slot;

    /// <summary>Where the scale of a head's value in a slot lies; the next slot's follows.</summary>
    public float* ValueScaleAddress(int layer, BlockId block, int head, int slot) =>
        KeyScaleAddress(layer, block, Layout.ValuesInKeys ? head : Layout.KvHeads + head, slot);

    /// <summary>Stores one token's K and V of a layer, each <c>[kv head][dim]</c> in fp32; halves and bytes are rounded to nearest, ties to even.</summary>
    /// <param name="v">Not read where values lie in the keys.</param>
    public void Write(int layer, BlockId block, int slot, float* k, float* v)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)slot, (uint)Layout.BlockSize, nameof(slot));
        for (int head = 0; head < Layout.KvHeads; head++)
        {
            float* key = k + (head * Layout.KeyDim);
            float* value = v + (head * Layout.ValueDim);
            if (Layout.DataType == KvDataType.Int8)
            {
                *KeyScaleAddress(layer, block, head, slot) = WriteBytes(key, Layout.KeyDim, KeyAddress(layer, block, head, slot), Layout.BlockSize);
                if (!Layout.ValuesInKeys)
                {
                    *ValueScaleAddress(layer, block, head, slot) = WriteBytes(value, Layout.ValueDim, ValueAddress(layer, block, head, slot), 1);
                }

                continue;
            }

            WriteNumbers(key, Layout.KeyDim, KeyAddress(layer, block, head, slot), Layout.BlockSize);
            if (!Layout.ValuesInKeys)
            {
                WriteNumbers(value, Layout.ValueDim, ValueAddress(layer, block, head, slot), 1);
            }
        }
    }

    /// <summary>
    /// Copies the first <paramref name="slots"/> slots of one layer of a block out, packed as <c>[kv head][key dim][slots]</c>, then the values as
    /// <c>[kv head][slots][value dim]</c>, then scales as <c>[K|V][kv head][slots]</c>.
    /// </summary>
    public void Export(int layer, BlockId block, int slots, Span<byte> destination)
    {
        CheckRun(slots, destination.Length, nameof(destination));
        byte* source = LayerAddress(layer, block);
        int packed = 0;
        for (int run = 0; run < RunCount(slots); run++)
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
        for (int run = 0; run < RunCount(slots); run++)
        {
            (int start, int byteCount) = Run(run, slots);
            source.Slice(packed, byteCount).CopyTo(new Span<byte>(destination + start, byteCount));
            packed += byteCount;
        }
    }

    /// <summary>Copies one block, all its layers, over another: what copy-on-write does when a sequence is to write into a block that others hold too.</summary>
    public void CopyBlock(BlockId from, BlockId to)
    {
        byte* source = BlockAddress(from);
        byte* destination = BlockAddress(to);
        new ReadOnlySpan<byte>(source, Layout.BytesPerBlock).CopyTo(new Span<byte>(destination, Layout.BytesPerBlock));
    }

    public void Dispose() => _memory.Dispose();

    private byte* BlockAddress(BlockId block)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)block.Value, (uint)BlockCount, nameof(block));
        return _memory.Address + (block.Value * _blockBytes);
    }

    /// <param name="stride">Elements from one number to the next.</param>
    private void WriteNumbers(float* source, int count, byte* destination, int stride)
    {
        if (Layout.DataType == KvDataType.Float32)
        {
            for (int i = 0; i < count; i++)
            {
                ((float*)destination)[i * stride] = source[i];
            }

            return;
        }

        for (int i = 0; i < count; i += VectorMath.Lanes)
        {
            int lanes = Math.Min(VectorMath.Lanes, count - i);
            Vector128<short> halves = HalfBits.FromSingle(LoadSome(source + i, lanes));
            for (int lane = 0; lane < lanes; lane++)
            {
                ((short*)destination)[(i + lane) * stride] = halves[lane];
            }
        }
    }

    /// <returns>The scale: the largest magnitude becomes 127.</returns>
    private static float WriteBytes(float* source, int count, byte* destination, int stride)
    {
        Vector256<float> largest = Vector256<float>.Zero;
        for (int i = 0; i < count; i += VectorMath.Lanes)
        {
            // Not the native maximum: a number that is none must reach the scale, so that it spoils what it touches.
            largest = Vector256.Max(largest, Vector256.Abs(LoadSome(source + i, count - i)));
        }

        float scale = 0;
        for (int lane = 0; lane < VectorMath.Lanes; lane++)
        {
            scale = MathF.Max(scale, largest[lane] / 127);
        }

        Vector256<float> inverse = Vector256.Create(scale == 0 ? 0 : 1 / scale);
        for (int i = 0; i < count; i += VectorMath.Lanes)
        {
            Vector256<int> numbers = Vector256.ConvertToInt32(Vector256.Round(LoadSome(source + i, count - i) * inverse));
            numbers = Vector256.Min(Vector256.Max(numbers, Vector256.Create(-127)), Vector256.Create(127));
            for (int lane = 0; lane < Math.Min(VectorMath.Lanes, count - i); lane++)
            {
                ((sbyte*)destination)[(i + lane) * stride] = (sbyte)numbers[lane];
            }
        }

        return scale;
    }

    /// <summary>Up to eight numbers; zeros after the last.</summary>
    private static Vector256<float> LoadSome(float* source, int count)
    {
        if (count >= VectorMath.Lanes)
        {
            return Vector256.Load(source);
        }

        float* eight = stackalloc float[VectorMath.Lanes];
        Vector256<float>.Zero.Store(eight);
        new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(eight, VectorMath.Lanes));
        return Vector256.Load(eight);
    }

    /// <summary>Runs of bytes that the used slots of a layer consist of: one for each number of each key, one for each head's values, and its scales; or all in one.</summary>
    private int RunCount(int slots) => slots == Layout.BlockSize ? 1 : Layout.KvHeads * (Layout.KeyDim + (Layout.ValuesInKeys ? 0 : 1) + Layout.ScalesPerHead);

    /// <summary>Where a run begins in the layer, and its bytes.</summary>
    private (int Start, int ByteCount) Run(int run, int slots)
    {
        if (slots == Layout.BlockSize)
        {
            return (0, Layout.BytesPerLayerBlock);
        }

        int slotBytes = Layout.ElementBytes;
        int keyRuns = Layout.KvHeads * Layout.KeyDim;
        if (run < keyRuns)
        {
            return (run * Layout.BlockSize * slotBytes, slots * slotBytes);
        }

        int scaleRun = run - keyRuns - (Layout.ValuesInKeys ? 0 : Layout.KvHeads);
        if (scaleRun >= 0)
        {
            return (Layout.NumberBytesPerLayerBlock + (scaleRun * Layout.BlockSize * sizeof(float)), slots * sizeof(float));
        }

        slotBytes *= Layout.ValueDim;
        return (Layout.KeyBytesPerLayerBlock + ((run - keyRuns) * Layout.BlockSize * slotBytes), slots * slotBytes);
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
