using System.Text.Json;
using Serving.TestKit;

namespace Serving.Engine.Tests;

/// <summary>The peer itself: where it cannot repeat what is recorded of known files, it proves nothing about ours.</summary>
public sealed class LlamaCppTests
{
    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("mixtral")]
    [InlineData("qwen2-moe")]
    public async Task Goes_on_as_recorded(string family)
    {
        Assert.SkipUnless(LlamaCpp.WhyMissing is null, LlamaCpp.WhyMissing ?? "");
        JsonElement[] recorded = [.. GoldenFixtures.Json("models", family, "golden.json").GetProperty("cases").EnumerateArray()];
        GoldenCase[] cases = [.. recorded.Select(row => GoldenFixtures.Case(row, "ids"))];

        LlamaCppAnswer answer = await LlamaCpp.RunAsync(
            GoldenFixtures.Path("gguf", $"{family}-f32.gguf"),
            [.. cases.Select(row => new LlamaCppCase(row.PromptIds, row.Greedy.Length))],
            [.. recorded.Select(row => row.GetProperty("text").GetString()!)],
            TestContext.Current.CancellationToken);

        Assert.Equal(cases.Select(row => row.Greedy), answer.Greedy);
        Assert.Equal(cases.Select(row => row.PromptIds[1..]), answer.Tokens);
    }

    [Fact]
    public async Task Says_why_it_refuses_a_file()
    {
        Assert.SkipUnless(LlamaCpp.WhyMissing is null, LlamaCpp.WhyMissing ?? "");
        using var temporary = new TemporaryFile([1, 2, 3]);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => LlamaCpp.RunAsync(temporary.Path, [], [], TestContext.Current.CancellationToken));

        Assert.Contains(temporary.Path, error.Message, StringComparison.Ordinal);
    }
}
