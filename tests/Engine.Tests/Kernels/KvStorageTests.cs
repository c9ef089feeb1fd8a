using Serving.Engine.KvCache;

namespace Serving.Engine.Tests.Kernels;

public sealed unsafe class KvStorageTests
{
    [Theory]
    [InlineData(KvDataType.Float32)]
    [InlineData(KvDataType.Float16)]
    public void Exports_what_was_written_packed_without_the_unused_slots(KvDataType type)
    {
        KvCacheLayout layout = new(Layers: 2, KvHeads: 2, KeyDim: 8, ValueDim: 8, BlockSize: 4, type);
        using KvStorage kv = new(layout, 3);
        Fill(kv, new BlockId(1), slots: 3);

        byte[] packed = new byte[3 * layout.BytesPerTokenPerLayer];
        kv.Export(1, new BlockId(1), 3, packed);

        // K as [kv head][dim][slots], V as [kv head][slots][dim]: the number written is 1000·isV + 100·head + 10·slot + dim.
        for (int i = 0; i < 2 * 2 * 3 * 8; i++)
        {
            (int slot, int dim) = i < 48 ? (i % 3, i / 3 % 8) : (i / 8 % 3, i % 8);
            Assert.Equal((i / 48 * 1000) + (i / 24 % 2 * 100) + (slot * 10) + dim, Number(packed, i, type));
        }
    }

    [Theory]
    [InlineData(KvDataType.Float32)]
    [InlineData(KvDataType.Float16)]
    public void Imports_what_another_storage_exported(KvDataType type)
    {
        KvCacheLayout layout = new(Layers: 2, KvHeads: 2, KeyDim: 8, ValueDim: 8, BlockSize: 4, type);
        using KvStorage source = new(layout, 2);
        using KvStorage destination = new(layout, 2);
        Fill(source, new BlockId(0), slots: 4);
        byte[] packed = new byte[4 * layout.BytesPerTokenPerLayer];
        byte[] again = new byte[packed.Length];

        source.Export(1, new BlockId(0), 4, packed);
        destination.Import(1, new BlockId(1), 4, packed);
        destination.Export(1, new BlockId(1), 4, again);

        Assert.Equal(packed, again);
        destination.Export(0, new BlockId(1), 4, again);
        Assert.All(again, value => Assert.Equal(0, value));
    }

    [Theory]
    [InlineData(KvDataType.Float32, 20, 20, false)]
    [InlineData(KvDataType.Float16, 20, 20, false)]
    [InlineData(KvDataType.Float16, 16, 12, false)]
    [InlineData(KvDataType.Float32, 72, 64, false)]
    [InlineData(KvDataType.Float16, 1, 3, false)]
    [InlineData(KvDataType.Float32, 72, 64, true)]
    [InlineData(KvDataType.Float16, 20, 13, true)]
    public void Hands_over_keys_and_values_of_any_width(KvDataType type, int keyDim, int valueDim, bool valuesInKeys)
    {
        KvCacheLayout layout = new(Layers: 2, KvHeads: 3, keyDim, valueDim, BlockSize: 5, type, valuesInKeys);
        int storedValueDim = valuesInKeys ? 0 : valueDim;
        int elementBytes = type == KvDataType.Float32 ? 4 : 2;
        Assert.Equal(3 * (keyDim + storedValueDim) * elementBytes, layout.BytesPerTokenPerLayer);
        Assert.Equal(2 * 5 * layout.BytesPerTokenPerLayer, layout.BytesPerBlock);
        using KvStorage source = new(layout, 3);
        using KvStorage destination = new(layout, 3);
        float[][] keys = Tokens(count: 4, 3 * keyDim, seed: 1);
        float[][] values = Tokens(count: 4, 3 * valueDim, seed: 2);
        for (int slot = 0; slot < 4; slot++)
        {
            fixed (float* k = keys[slot], v = values[slot])
            {
                source.Write(1, new BlockId(1), slot, k, v);
            }
        }

        byte[] packed = new byte[4 * layout.BytesPerTokenPerLayer];
        byte[] again = new byte[packed.Length];
        source.Export(1, new BlockId(1), 4, packed);
        destination.Import(1, new BlockId(2), 4, packed);
        destination.Export(1, new BlockId(2), 4, again);

        Assert.Equal(packed, again);
        List<float> expected = [];
        for (int i = 0; i < 3 * keyDim; i++)
        {
            expected.AddRange(keys.Select(key => key[i]));
        }

        for (int head = 0; head < 3; head++)
        {
            expected.AddRange(values.SelectMany(value => value.Skip(head * valueDim).Take(storedValueDim)));
        }

        Assert.Equal(expected.Count * elementBytes, packed.Length);
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.Equal(type == KvDataType.Float32 ? expected[i] : (float)(Half)expected[i], Number(packed, i, type));
        }

        AssertUntouched(destination, 0, new BlockId(2));
        AssertUntouched(destination, 1, new BlockId(1));
    }

    [Theory]
    [InlineData(20, 20, false)]
    [InlineData(13, 7, false)]
    [InlineData(20, 13, true)]
    public void Hands_over_bytes_with_their_scales(int keyDim, int valueDim, bool valuesInKeys)
    {
        KvCacheLayout layout = new(Layers: 2, KvHeads: 3, keyDim, valueDim, BlockSize: 5, KvDataType.Int8, valuesInKeys);
        Assert.Equal(3 * (valuesInKeys ? keyDim + 4 : keyDim + valueDim + 8), layout.BytesPerTokenPerLayer);
        using KvStorage source = new(layout, 2);
        using KvStorage destination = new(layout, 2);
        float[] keys = Tokens(count: 1, 3 * keyDim, seed: 1)[0];
        float[] values = Tokens(count: 1, 3 * valueDim, seed: 2)[0];
        fixed (float* k = keys, v = values)
        {
            source.Write(1, new BlockId(0), 2, k, v);
        }

        byte[] packed = new byte[3 * layout.BytesPerTokenPerLayer];
        source.Export(1, new BlockId(0), 3, packed);
        destination.Import(1, new BlockId(1), 3, packed);

        for (int i = 0; i < keys.Length; i++)
        {
            float scale = *destination.KeyScaleAddress(1, new BlockId(1), i / keyDim, 2);
            sbyte number = ((sbyte*)destination.KeyAddress(1, new BlockId(1), i / keyDim, 2))[i % keyDim * 5];
            Assert.InRange(number * scale, keys[i] - (0.501f * scale), keys[i] + (0.501f * scale));
        }

        for (int i = 0; i < values.Length && !valuesInKeys; i++)
        {
            float scale = *destination.ValueScaleAddress(1, new BlockId(1), i / valueDim, 2);
            sbyte number = ((sbyte*)destination.ValueAddress(1, new BlockId(1), i / valueDim, 2))[i % valueDim];
            Assert.InRange(number * scale, values[i] - (0.501f * scale), values[i] + (0.501f * scale));
        }
    }

    [Fact]
    public void Copies_every_layer_of_a_block_and_no_other_block()
    {
        KvCacheLayout layout = new(Layers: 2, KvHeads: 2, KeyDim: 8, ValueDim: 8, BlockSize: 4, KvDataType.Float16);
        using KvStorage kv = new(layout, 4);
        Fill(kv, new BlockId(2), slots: 3, layer: 0);
        Fill(kv, new BlockId(2), slots: 4, layer: 1);

        kv.CopyBlock(new BlockId(2), new BlockId(0));

        byte[] source = new byte[layout.BytesPerLayerBlock];
        byte[] copy = new byte[layout.BytesPerLayerBlock];
        for (int layer = 0; layer < 2; layer++)
        {
            kv.Export(layer, new BlockId(2), 4, source);
            kv.Export(layer, new BlockId(0), 4, copy);
            Assert.Equal(source, copy);
            Assert.Contains(copy, value => value != 0);
            AssertUntouched(kv, layer, new BlockId(1));
            AssertUntouched(kv, layer, new BlockId(3));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => kv.CopyBlock(new BlockId(4), new BlockId(0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => kv.CopyBlock(new BlockId(0), new BlockId(-1)));
    }

    [Fact]
    public void Refuses_what_lies_outside_it()
    {
        KvCacheLayout layout = new(Layers: 2, KvHeads: 2, KeyDim: 8, ValueDim: 8, BlockSize: 4, KvDataType.Float16);
        using KvStorage kv = new(layout, 2);
        byte[] packed = new byte[layout.BytesPerLayerBlock];

        Assert.Throws<ArgumentOutOfRangeException>(() => kv.Export(2, new BlockId(0), 4, packed));
        Assert.Throws<ArgumentOutOfRangeException>(() => kv.Export(0, new BlockId(2), 4, packed));
        Assert.Throws<ArgumentOutOfRangeException>(() => kv.Import(0, new BlockId(-1), 4, packed));
        Assert.Throws<ArgumentOutOfRangeException>(() => kv.Import(0, new BlockId(0), 5, packed));
        Assert.Throws<ArgumentException>(() => kv.Import(0, new BlockId(0), 3, packed));
        Assert.Throws<ArgumentException>(() => new KvStorage(layout with { KeyDim = 4, ValuesInKeys = true }, 1));
    }

    private static float Number(byte[] packed, int i, KvDataType type) =>
        type == KvDataType.Float32 ? BitConverter.ToSingle(packed, i * 4) : (float)BitConverter.ToHalf(packed, i * 2);

    private static float[][] Tokens(int count, int width, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, width).Select(_ => random.NextSingle() - 0.5f).ToArray())];
    }

    private static void AssertUntouched(KvStorage kv, int layer, BlockId block)
    {
        byte[] bytes = new byte[kv.Layout.BytesPerLayerBlock];
        kv.Export(layer, block, kv.Layout.BlockSize, bytes);
        Assert.All(bytes, value => Assert.Equal(0, value));
    }

    private static void Fill(KvStorage kv, BlockId block, int slots, int layer = 1)
    {
        float* k = stackalloc float[16];
        float* v = stackalloc float[16];
        for (int slot = 0; slot < slots; slot++)
        {
            for (int i = 0; i < 16; i++)
            {
                k[i] = (i / 8 * 100) + (slot * 10) + (i % 8);
                v[i] = 1000 + k[i];
            }

            kv.Write(layer, block, slot, k, v);
        }
    }
}
