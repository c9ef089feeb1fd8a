using Serving.Cli.Bench;

namespace Serving.Serving.Tests.Bench;

public sealed class RandomPromptsTests
{
    [Fact]
    public void Prompts_begin_differently_and_hold_tokens_of_the_vocabulary()
    {
        var prompts = RandomPrompts.Create(count: 64, length: 128, vocabularySize: 300, seed: 1);

        Assert.Equal(64, prompts.Select(prompt => prompt[0]).Distinct().Count());
        Assert.All(prompts, prompt => Assert.Equal(128, prompt.Length));
        Assert.All(prompts.SelectMany(prompt => prompt), token => Assert.InRange(token, 0, 299));
    }

    [Fact]
    public void Equal_seeds_give_equal_prompts() => Assert.Equal(RandomPrompts.Create(2, 9, 300, 7), RandomPrompts.Create(2, 9, 300, 7));
}
