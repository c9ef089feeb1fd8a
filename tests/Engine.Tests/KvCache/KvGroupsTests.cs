using Serving.Engine.KvCache;

namespace Serving.Engine.Tests.KvCache;

public sealed class KvGroupsTests
{
    [Theory]
    [InlineData(30, 0, 1, 30)] // Every layer sees all.
    [InlineData(0, 32, 1, 32)] // Every layer slides: Mistral 7B v0.1.
    [InlineData(12, 12, 2, 12)] // GPT-OSS 20B.
    [InlineData(4, 22, 7, 4)] // Gemma 3 1B: two places of 28 stay empty.
    [InlineData(8, 40, 6, 8)] // Gemma 3 12B.
    [InlineData(10, 52, 5, 13)] // Gemma 3 27B: three places of 65 stay empty.
    public void Kinds_of_layers_are_divided_into_groups_of_one_size(int full, int windowed, int count, int layersPerBlock)
    {
        // One in between where there are both.
        int[] windows = [.. Enumerable.Range(0, full + windowed).Select(layer => layer % (full + windowed) < full ? 0 : 512)];
        new Random(3).Shuffle(windows);

        var groups = KvGroups.Of(windows);

        Assert.Equal((count, layersPerBlock), (groups.Count, groups.LayersPerBlock));
        Assert.Equal(windowed > 0, groups.HasWindows);
        Assert.Equal(windows.Length, windows.Select((_, layer) => (groups.GroupOf(layer), groups.PlaceOf(layer))).Distinct().Count());
        for (var layer = 0; layer < windows.Length; layer++)
        {
            Assert.InRange(groups.PlaceOf(layer), 0, layersPerBlock - 1);
            Assert.Equal(windows[layer] == 0 ? 0 : 1000 - 511, groups.FirstSeen(groups.GroupOf(layer), 1000));
            Assert.Equal(windows[layer] == 0, groups.SeesAll(groups.GroupOf(layer)));
        }
    }

    [Fact]
    public void Groups_are_equal_when_they_place_every_layer_alike()
    {
        Assert.Equal(KvGroups.Of([0, 5, 0]), KvGroups.Of([0, 5, 0]));
        Assert.NotEqual(KvGroups.Of([0, 5, 0]), KvGroups.Of([0, 0, 5]));
        Assert.NotEqual(KvGroups.Of([0, 5]), KvGroups.Of([0, 6]));
        Assert.NotEqual(KvGroups.Single(2), KvGroups.Single(3));
    }
}
