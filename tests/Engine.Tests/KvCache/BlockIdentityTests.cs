using Serving.Engine.KvCache;

namespace Serving.Engine.Tests.KvCache;

public sealed class BlockIdentityTests
{
    private static readonly BlockIdentity _root = BlockIdentity.Root("model", "");

    [Fact]
    public void The_same_tokens_from_the_beginning_on_are_the_same_block()
    {
        Assert.Equal(_root.Extend([1, 2]).Extend([3, 4]), BlockIdentity.Root("model", "").Extend([1, 2]).Extend([3, 4]));
        Assert.False(_root.IsNone);
        Assert.True(default(BlockIdentity).IsNone);
    }

    [Fact]
    public void Whatever_the_bytes_depend_on_tells_blocks_apart()
    {
        BlockIdentity[] different =
        [
            _root,
            _root.Extend([3, 4]),
            _root.Extend([4, 3]),
            _root.Extend([1, 2]).Extend([3, 4]),
            _root.Extend([2, 1]).Extend([3, 4]),
            _root.Extend([1, 2, 3, 4]),
            BlockIdentity.Root("model", "salt").Extend([3, 4]),
            BlockIdentity.Root("other", "").Extend([3, 4]),
            BlockIdentity.Root("models", "alt").Extend([3, 4]),
        ];

        Assert.Equal(different.Length, different.Distinct().Count());
    }
}
