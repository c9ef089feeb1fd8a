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

        // [K|V][kv head][slots][dim]: the number written is 1000·isV + 100·head + 10·slot + dim.
        for (int i = 0; i < 2 * 2 * 3 * 8; i++)
        {
            float expected = (i / 48 * 1000) + (i / 24 % 2 * 100) + (i / 8 % 3 * 10) + (i % 8);
            float actual = type == KvDataType.Float32 ? BitConverter.ToSingle(packed, i * 4) : (float)BitConverter.ToHalf(packed, i * 2);
            Assert.Equal(expected, actual);
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

    private static void Fill(KvStorage kv, BlockId block, int slots)
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

            kv.Write(1, block, slot, k, v);
        }
    }
}
