using Serving.Engine.Scheduling;
using static Serving.Engine.Tests.Scheduling.SchedulerHarness;

namespace Serving.Engine.Tests.Scheduling;

/// <summary>Blocks of the fake model hold 4 tokens.</summary>
public sealed class PrefixCacheTests
{
    [Fact]
    public void A_prompt_with_a_known_beginning_computes_what_is_behind_it()
    {
        var harness = new SchedulerHarness();
        harness.Add(Prompt(14), answerTokens: 2);
        harness.RunToEnd();

        var sequence = harness.Add([.. Prompt(10), 1, 2, 3, 4, 5], answerTokens: 6);
        Assert.Equal([(2, 7)], harness.Step());
        harness.RunToEnd();

        Assert.Equal((8, 7), (sequence.CachedTokens, sequence.ComputedPromptTokens));
        harness.AssertAnsweredAsAlone(sequence);
        harness.AssertEmpty();
    }

    [Theory]
    [InlineData(8, 4)]
    [InlineData(9, 8)]
    public void The_last_token_of_a_prompt_is_always_computed(int length, int cached)
    {
        var harness = new SchedulerHarness();
        foreach (var work in new[] { SequenceWork.Generate, SequenceWork.PrefillOnly })
        {
            harness.Add(Prompt(length), answerTokens: 4);
            harness.RunToEnd();
            var sequence = harness.Add(Prompt(length), work, answerTokens: 4);

            Assert.Equal(length - cached, Assert.Single(harness.Step()).Rows);

            Assert.Equal((cached, length - cached), (sequence.CachedTokens, sequence.ComputedPromptTokens));
            if (work == SequenceWork.PrefillOnly)
            {
                harness.Scheduler.Release(sequence);
            }
            else
            {
                harness.RunToEnd();
                harness.AssertAnsweredAsAlone(sequence);
            }
        }

        harness.AssertEmpty();
    }

    [Fact]
    public void An_answer_is_found_by_the_next_turn_of_the_conversation()
    {
        var harness = new SchedulerHarness();
        var first = harness.Add(Prompt(6), answerTokens: 8);
        harness.RunToEnd();

        // The last token was sampled and never computed, so the third block has three tokens.
        var second = harness.Add([.. first.Tokens.ToArray(), 7, 7, 7], answerTokens: 4);
        harness.RunToEnd();

        Assert.Equal((12, 5), (second.CachedTokens, second.ComputedPromptTokens));
        harness.AssertAnsweredAsAlone(second);
    }

    [Fact]
    public void Sequences_that_run_share_what_one_of_them_has_computed()
    {
        var harness = new SchedulerHarness();
        var first = harness.Add(Prompt(12), answerTokens: 10);
        harness.Step();
        var second = harness.Add(Prompt(12), answerTokens: 10);
        harness.Step();

        Assert.Equal(first.Table.Of(0)[..2].ToArray(), second.Table.Of(0)[..2].ToArray());
        Assert.NotEqual(first.Table.Of(0)[2], second.Table.Of(0)[2]);

        harness.RunToEnd();
        Assert.All([first, second], harness.AssertAnsweredAsAlone);
        harness.AssertEmpty();
    }

    [Fact]
    public void Different_salts_and_no_salt_share_nothing()
    {
        var harness = new SchedulerHarness();
        foreach (var salt in new[] { "a", "b", null, "", null })
        {
            var sequence = harness.Add(Prompt(12), answerTokens: 2, salt: salt);
            harness.RunToEnd();
            Assert.Equal(0, sequence.CachedTokens);
            harness.AssertAnsweredAsAlone(sequence);
        }
    }

    [Fact]
    public void A_preempted_sequence_finds_its_own_blocks_again()
    {
        var harness = new SchedulerHarness(blocks: 9);
        var older = harness.Add(Prompt(11), answerTokens: 13);
        var younger = harness.Add(Prompt(11, 1), answerTokens: 13);
        while (younger.State != SequenceState.Preempted)
        {
            harness.Step();
        }

        harness.Scheduler.Cancel(older);
        harness.RunToEnd();

        Assert.True(younger.ComputedPromptTokens < 2 * 11, $"{younger.ComputedPromptTokens} prompt tokens were computed.");
        Assert.Equal(0, younger.CachedTokens);
        harness.AssertAnsweredAsAlone(younger);
        harness.AssertEmpty();
    }

    [Fact]
    public void Blocks_of_a_sequence_that_failed_are_not_found()
    {
        var harness = new SchedulerHarness();
        var failing = harness.Add(Prompt(12));
        harness.Step();
        harness.Scheduler.Finish(failing, SequenceState.FinishedFailed);

        var sequence = harness.Add(Prompt(12));
        harness.RunToEnd();

        Assert.Equal(0, sequence.CachedTokens);
        harness.AssertAnsweredAsAlone(sequence);
        Assert.Equal(3, harness.Pool.CachedCount);
        harness.AssertEmpty();
    }

    [Fact]
    public void The_end_of_a_finished_sequence_is_evicted_before_its_beginning()
    {
        var harness = new SchedulerHarness(blocks: 8);
        harness.Add(Prompt(16), answerTokens: 1);
        harness.RunToEnd();
        Assert.Equal((4, 4), (harness.Pool.FreeCount, harness.Pool.CachedCount));
        harness.Add(Prompt(21, 1), answerTokens: 1);
        harness.RunToEnd();

        var sequence = harness.Add(Prompt(16), answerTokens: 1);
        harness.RunToEnd();

        Assert.Equal(8, sequence.CachedTokens);
        harness.AssertAnsweredAsAlone(sequence);
        harness.AssertEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_cached_of_a_remote_prompt_need_not_come(bool comes)
    {
        var harness = new SchedulerHarness();
        harness.Add(Prompt(9), answerTokens: 1);
        harness.RunToEnd();
        var sequence = harness.Add([.. Prompt(9), .. Prompt(9, 1)], SequenceWork.GenerateFromRemoteKv, answerTokens: 5);
        harness.Step();
        Assert.Equal((SequenceState.WaitingForRemoteKv, 8), (sequence.State, sequence.CachedTokens));

        if (comes)
        {
            harness.FillRemotely(sequence, 17);
            harness.Scheduler.CompleteRemoteKv(sequence, 17);
        }
        else
        {
            harness.Scheduler.FailRemoteKv(sequence);
        }

        harness.RunToEnd();
        Assert.Equal(comes ? 1 : 10, sequence.ComputedPromptTokens);
        harness.AssertAnsweredAsAlone(sequence);
        harness.AssertEmpty();
    }

    [Fact]
    public void Remote_kv_is_found_by_the_next_prompt()
    {
        var harness = new SchedulerHarness();
        var first = harness.Add(Prompt(11), SequenceWork.GenerateFromRemoteKv, answerTokens: 5);
        harness.Step();
        harness.FillRemotely(first, 10);
        harness.Scheduler.CompleteRemoteKv(first, 10);

        var second = harness.Add(Prompt(11), answerTokens: 5);
        harness.RunToEnd();

        Assert.Equal((8, 3), (second.CachedTokens, second.ComputedPromptTokens));
        Assert.All([first, second], harness.AssertAnsweredAsAlone);
        harness.AssertEmpty();
    }
}
