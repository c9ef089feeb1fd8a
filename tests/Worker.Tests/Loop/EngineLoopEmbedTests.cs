using Serving.Engine.Scheduling;
using static Serving.Worker.Tests.Loop.LoopHarness;

namespace Serving.Worker.Tests.Loop;

public sealed class EngineLoopEmbedTests
{
    [Theory]
    [InlineData(64)]
    [InlineData(18)] // So few that sequences lose their blocks to others.
    public async Task Sums_of_hidden_states_are_those_of_each_alone_beside_answers(int blocks)
    {
        await using var harness = new LoopHarness(blocks: blocks);
        var answers = Enumerable.Range(0, 5).Select(i => harness.Submit(Prompt(6 + i, i), maxTokens: 20)).ToArray();
        var embedded = Enumerable.Range(0, 10).Select(i => harness.Submit(Prompt(1 + (6 * i), 50 + i), SequenceWork.Embed)).ToArray();

        var ends = await Task.WhenAll(embedded.Select(ReadToEndAsync));
        await Task.WhenAll(answers.Select(ReadToEndAsync));

        for (var i = 0; i < embedded.Length; i++)
        {
            Assert.Empty(ends[i].Tokens);
            Assert.Equal(SequenceState.FinishedStop, ends[i].End.State);
            Assert.Equal(harness.Executor.ExpectHiddenSum(Prompt(1 + (6 * i), 50 + i)), embedded[i].HiddenSum.ToArray());
        }

        harness.AssertNothingHeld();
    }

    [Fact]
    public async Task A_known_prompt_is_computed_all_the_same()
    {
        await using var harness = new LoopHarness();
        await ReadToEndAsync(harness.Submit(Prompt(30)));

        var embedded = harness.Submit(Prompt(30), SequenceWork.Embed);
        await ReadToEndAsync(embedded);

        Assert.Equal((0, 30), (embedded.CachedTokens, embedded.ComputedPromptTokens));
        Assert.Equal(harness.Executor.ExpectHiddenSum(Prompt(30)), embedded.HiddenSum.ToArray());
    }

    [Fact]
    public async Task A_prompt_may_fill_the_context_and_not_exceed_it()
    {
        await using var harness = new LoopHarness(contextLength: 64);
        await ReadToEndAsync(harness.Submit(Prompt(64), SequenceWork.Embed));

        Assert.Equal(RefusalReason.ContextExceeded, harness.Loop.Submit(Request(Prompt(65), SequenceWork.Embed)).Refusal?.Reason);
    }
}
