using Serving.Engine.Scheduling;
using static Serving.Engine.Tests.Scheduling.SchedulerHarness;

namespace Serving.Engine.Tests.Scheduling;

/// <summary>Layers that see a window of the last tokens. Blocks of the fake model hold 4 tokens.</summary>
public sealed class WindowedBlocksTests
{
    private const int Window = 5;

    // What a token sees, itself among it, lies in at most so many.
    private const int BlocksOfWindowMax = 2;

    [Fact]
    public void A_long_answer_holds_no_more_blocks_than_its_window_needs()
    {
        var harness = new SchedulerHarness(blocks: 100, contextLength: 400, windows: [Window, Window]);
        var sequence = harness.Add(Prompt(6), answerTokens: 300);

        var used = MostUsed(harness);

        Assert.Equal(BlocksOfWindowMax, used);
        harness.AssertAnsweredAsAlone(sequence);
        harness.AssertEmpty();
    }

    [Fact]
    public void Where_other_layers_see_all_only_the_windows_blocks_come_back()
    {
        var harness = new SchedulerHarness(blocks: 200, contextLength: 400, windows: [0, Window]);
        var sequence = harness.Add(Prompt(6), answerTokens: 300);

        var used = MostUsed(harness);

        var blocksOfAll = harness.Executor.KvLayout.BlocksFor(sequence.TokenCount - 1);
        Assert.InRange(used, blocksOfAll, blocksOfAll + BlocksOfWindowMax);
        harness.AssertAnsweredAsAlone(sequence);
        harness.AssertEmpty();
    }

    [Fact]
    public void A_prompt_in_chunks_gives_back_what_its_windows_pass()
    {
        var harness = new SchedulerHarness(batchTokensMax: 8, windows: [Window, Window]);
        var sequence = harness.Add(Prompt(40), answerTokens: 4);

        harness.Step();
        Assert.Equal(9, harness.Pool.UsedCount);
        harness.Step();
        Assert.Equal(7, harness.Pool.UsedCount);

        harness.RunToEnd();
        harness.AssertAnsweredAsAlone(sequence);
    }

    [Theory]
    [InlineData(SequenceWork.Generate, 40)]
    [InlineData(SequenceWork.PrefillOnly, 0)]
    public void A_prefix_is_found_as_long_as_its_end_is_there_unless_all_of_it_is_to_be_sent(SequenceWork work, int cached)
    {
        var harness = new SchedulerHarness(blocks: 16, batchTokensMax: 64, windows: [Window, Window]);
        harness.Add(Prompt(41), answerTokens: 1);
        harness.RunToEnd();
        Assert.Equal(10, harness.Pool.CachedCount);

        // Takes the free blocks and the ones given back first.
        harness.Add(Prompt(32, 1), answerTokens: 1);
        harness.RunToEnd();
        var sequence = harness.Add([.. Prompt(41), 1, 2, 3], work, answerTokens: 6);
        harness.Step();
        Assert.Equal(cached, sequence.CachedTokens);

        if (work == SequenceWork.PrefillOnly)
        {
            Assert.Equal((SequenceState.PrefillComputed, 11), (sequence.State, harness.Pool.UsedCount));
            harness.Scheduler.Release(sequence);
        }
        else
        {
            harness.RunToEnd();
            harness.AssertAnsweredAsAlone(sequence);
        }

        harness.AssertEmpty();
    }

    [Fact]
    public void A_prefix_whose_end_is_gone_is_found_as_far_as_a_window_before_it_is_there()
    {
        var harness = new SchedulerHarness(blocks: 64, windows: [0, Window]);
        var first = harness.Add(Prompt(33), answerTokens: 1);
        harness.RunToEnd();

        // The windows' block of tokens 28 to 31.
        Assert.True(harness.Pool.TryAcquire(first.IdentityOf(7).InGroup(1), out var block));
        harness.Pool.Withdraw(block);
        harness.Pool.Release(block);
        var sequence = harness.Add(Prompt(33), answerTokens: 6);
        harness.RunToEnd();

        Assert.Equal(28, sequence.CachedTokens);
        harness.AssertAnsweredAsAlone(sequence);
        harness.AssertEmpty();
    }

    [Fact]
    public void Blocks_that_a_window_has_passed_are_not_found_either_once_the_sequence_has_failed()
    {
        var harness = new SchedulerHarness(windows: [Window, Window]);
        var failing = harness.Add(Prompt(24), answerTokens: 20);
        harness.Step();
        Assert.True(harness.Pool.CachedCount > 0);

        harness.Scheduler.Finish(failing, SequenceState.FinishedFailed);

        Assert.Equal(0, harness.Pool.CachedCount);
        harness.AssertEmpty();
    }

    [Fact]
    public void What_comes_from_elsewhere_fills_all_blocks_and_then_the_windows_pass()
    {
        var harness = new SchedulerHarness(windows: [0, Window]);
        var sequence = harness.Add(Prompt(30), SequenceWork.GenerateFromRemoteKv, answerTokens: 9);
        harness.Step();
        Assert.Equal(16, harness.Pool.UsedCount);

        harness.FillRemotely(sequence, 29);
        harness.Scheduler.CompleteRemoteKv(sequence, 29);
        Assert.Equal(10, harness.Pool.UsedCount);

        harness.RunToEnd();
        Assert.Equal(1, sequence.ComputedPromptTokens);
        harness.AssertAnsweredAsAlone(sequence);
        harness.AssertEmpty();
    }

    [Fact]
    public void More_sequences_run_than_without_giving_back()
    {
        var windowed = new SchedulerHarness(blocks: 24, contextLength: 100, windows: [Window, Window]);
        var whole = new SchedulerHarness(blocks: 24, contextLength: 100);
        foreach (var harness in new[] { windowed, whole })
        {
            Sequence[] sequences = [.. Enumerable.Range(0, 6).Select(i => harness.Add(Prompt(6, i), answerTokens: 60))];
            harness.RunToEnd();
            Assert.All(sequences, harness.AssertAnsweredAsAlone);
            harness.AssertEmpty();
        }

        Assert.Equal(0, windowed.Scheduler.PreemptionCount);
        Assert.True(whole.Scheduler.PreemptionCount > 0);
    }

    /// <summary>The most blocks in use after any step but the first.</summary>
    private static int MostUsed(SchedulerHarness harness)
    {
        var used = 0;
        harness.Step();
        while (harness.Scheduler.SequenceCount > 0)
        {
            harness.Step();
            used = Math.Max(used, harness.Pool.UsedCount);
        }

        return used;
    }
}
