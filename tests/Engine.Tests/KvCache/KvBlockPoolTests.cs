using Serving.Engine.KvCache;

namespace Serving.Engine.Tests.KvCache;

public sealed class KvBlockPoolTests
{
    [Fact]
    public void Takes_all_blocks_or_none()
    {
        var pool = new KvBlockPool(4);

        Assert.Equal(AllocationResult.Allocated, pool.Allocate(new BlockId[3]));
        Assert.Equal(AllocationResult.NoBlocks, pool.Allocate(new BlockId[2]));

        Assert.Equal((1, 3), (pool.FreeCount, pool.UsedCount));
        pool.CheckIntegrity();
    }

    [Fact]
    public void Never_gives_a_block_to_two_owners()
    {
        var pool = new KvBlockPool(8);
        var blocks = new BlockId[8];

        pool.Allocate(blocks);

        Assert.Equal(8, blocks.Distinct().Count());
        Assert.All(blocks, block => Assert.InRange(block.Value, 0, 7));
    }

    [Fact]
    public void Frees_a_shared_block_with_its_last_owner()
    {
        var pool = new KvBlockPool(1);
        var block = new BlockId[1];
        pool.Allocate(block);
        pool.AddReference(block[0]);

        pool.Release(block[0]);
        Assert.Equal(1, pool.UsedCount);

        pool.Release(block[0]);
        Assert.Equal(0, pool.UsedCount);
        pool.CheckIntegrity();
    }

    [Fact]
    public void Refuses_to_free_a_block_twice()
    {
        var pool = new KvBlockPool(2);
        var block = new BlockId[1];
        pool.Allocate(block);
        pool.Release(block[0]);

        var error = Assert.Throws<InvalidOperationException>(() => pool.Release(block[0]));
        Assert.Contains($"block {block[0].Value} is freed twice", error.Message);
        Assert.Throws<InvalidOperationException>(() => pool.AddReference(block[0]));
    }

    [Fact]
    public void Block_table_grows_by_what_is_missing_and_gives_all_back()
    {
        var pool = new KvBlockPool(4);
        var table = new BlockTable(4);

        Assert.Equal(AllocationResult.Allocated, table.Grow(2, pool));
        var first = table.Blocks.ToArray();
        Assert.Equal(AllocationResult.Allocated, table.Grow(1, pool));
        Assert.Equal(AllocationResult.Allocated, table.Grow(3, pool));

        Assert.Equal(3, table.Count);
        Assert.Equal(first, table.Blocks[..2].ToArray());
        Assert.Equal(3, pool.UsedCount);

        table.Release(pool);
        Assert.Equal((0, 0), (table.Count, pool.UsedCount));
        pool.CheckIntegrity();
    }

    [Fact]
    public void Block_table_keeps_its_blocks_when_the_pool_is_empty()
    {
        var pool = new KvBlockPool(3);
        var table = new BlockTable(8);
        table.Grow(2, pool);

        Assert.Equal(AllocationResult.NoBlocks, table.Grow(4, pool));

        Assert.Equal((2, 1), (table.Count, pool.FreeCount));
    }
}
