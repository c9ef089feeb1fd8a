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
        var first = table.ToArray();
        Assert.Equal(AllocationResult.Allocated, table.Grow(1, pool));
        Assert.Equal(AllocationResult.Allocated, table.Grow(3, pool));

        Assert.Equal(3, table.Count);
        Assert.Equal(first, table.Of(0)[..2].ToArray());
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

    [Fact]
    public void A_published_block_is_found_after_its_last_owner_has_gone()
    {
        var (pool, blocks) = Published(4, 1);

        pool.Release(blocks[0]);
        Assert.Equal((3, 1, 0), (pool.FreeCount, pool.CachedCount, pool.UsedCount));

        Assert.True(pool.TryAcquire(Identity(0), out var found));
        Assert.True(pool.TryAcquire(Identity(0), out _));
        Assert.Equal((blocks[0], 2, 1), (found, pool.References(found), pool.UsedCount));
        Assert.False(pool.TryAcquire(Identity(1), out _));
        pool.CheckIntegrity();
    }

    [Fact]
    public void Cached_blocks_are_taken_when_none_is_free_and_the_one_let_go_longest_ago_first()
    {
        var (pool, blocks) = Published(3, 3);
        pool.Release(blocks[1]);
        pool.Release(blocks[0]);
        pool.Release(blocks[2]);
        Assert.True(pool.TryAcquire(Identity(1), out var again));
        pool.Release(again);
        var taken = new BlockId[2];

        Assert.Equal(AllocationResult.Allocated, pool.Allocate(taken));

        Assert.Equal([blocks[0], blocks[2]], taken);
        Assert.False(pool.TryAcquire(Identity(0), out _));
        Assert.True(pool.TryAcquire(Identity(1), out _));
        pool.CheckIntegrity();
    }

    [Fact]
    public void A_second_block_of_the_same_tokens_stays_its_owner_s_own()
    {
        var (pool, blocks) = Published(2, 1);
        var second = new BlockId[1];
        pool.Allocate(second);
        pool.Publish(second[0], Identity(0));

        pool.Release(second[0]);
        pool.Release(blocks[0]);

        Assert.Equal((1, 1), (pool.FreeCount, pool.CachedCount));
        pool.CheckIntegrity();
    }

    [Fact]
    public void A_block_that_was_withdrawn_is_not_found()
    {
        var (pool, blocks) = Published(2, 1);

        pool.Withdraw(blocks[0]);
        pool.Release(blocks[0]);

        Assert.Equal((2, 0), (pool.FreeCount, pool.CachedCount));
        Assert.False(pool.TryAcquire(Identity(0), out _));
        Assert.Throws<InvalidOperationException>(() => pool.Publish(blocks[0], Identity(0)));
        pool.CheckIntegrity();
    }

    [Fact]
    public void A_pool_in_use_allocates_no_memory()
    {
        const int rounds = 1_000;
        var pool = new KvBlockPool(8);
        var blocks = new BlockId[6];
        var identity = BlockIdentity.Root("model", "");
        var tokens = new int[16];
        Round(0);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 1; i < rounds; i++)
        {
            Round(i);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(8, pool.CachedCount);
        pool.CheckIntegrity();

        void Round(int round)
        {
            pool.Allocate(blocks);
            for (var i = 0; i < blocks.Length; i++)
            {
                tokens[0] = (round * blocks.Length) + i;
                identity = identity.Extend(tokens);
                pool.Publish(blocks[i], identity);
                pool.Release(blocks[i]);
            }
        }
    }

    private static BlockIdentity Identity(int token) => BlockIdentity.Root("model", "").Extend([token]);

    /// <summary>A pool in which the first blocks are used once each and published by <see cref="Identity"/> of their place.</summary>
    private static (KvBlockPool Pool, BlockId[] Blocks) Published(int blockCount, int count)
    {
        var pool = new KvBlockPool(blockCount);
        var blocks = new BlockId[count];
        pool.Allocate(blocks);
        for (var i = 0; i < count; i++)
        {
            pool.Publish(blocks[i], Identity(i));
        }

        return (pool, blocks);
    }
}
