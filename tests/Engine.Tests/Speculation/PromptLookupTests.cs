using Serving.Engine.Speculation;

namespace Serving.Engine.Tests.Speculation;

public sealed class PromptLookupTests
{
    [Theory]
    [InlineData(new[] { 1, 2, 3, 4, 9, 1, 2, 3 }, 3)]
    [InlineData(new[] { 5, 1, 2, 7, 3, 1, 2, 8, 1, 2 }, 7)] // The last place counts.
    [InlineData(new[] { 1, 2, 3, 4, 5, 3, 4, 6, 2, 3, 4 }, 4)] // More tokens alike before a later place.
    [InlineData(new[] { 7, 7, 7 }, 2)] // A place may overlap the end.
    [InlineData(new[] { 1, 2, 3, 4 }, -1)]
    [InlineData(new[] { 1, 2, 1 }, -1)] // One token alone says nothing.
    [InlineData(new[] { 1, 1 }, -1)]
    [InlineData(new[] { 1 }, -1)]
    public void Finds_where_the_newest_tokens_stood_before(int[] tokens, int expected) => Assert.Equal(expected, PromptLookup.Find(tokens));
}
