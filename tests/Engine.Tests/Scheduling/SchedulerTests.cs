using Serving.Engine.Scheduling;
using static Serving.Engine.Tests.Scheduling.SchedulerHarness;

namespace Serving.Engine.Tests.Scheduling;

public sealed class SchedulerTests
{
    [Fact]
    public void A_step_holds_all_decodes_and_fills_up_with_prefill_chunks()
    {
        var harness = new SchedulerHarness(batchTokensMax: 10);
        var first = harness.Add(Prompt(3), answerTokens: 8);
        Assert.Equal([(1, 3)], harness.Step());
        var second = harness.Add(Prompt(12, 1), answerTokens: 4);
        var third = harness.Add(Prompt(8, 2), answerTokens: 4);

        Assert.Equal([(1, 1), (2, 9)], harness.Step());
        Assert.Equal([(1, 1), (2, 3), (3, 6)], harness.Step());
        Assert.Equal([(1, 1), (2, 1), (3, 2)], harness.Step());

        harness.RunToEnd();
        Assert.All([first, second, third], harness.AssertAnsweredAsAlone);
        Assert.Equal((3, 12, 8), (first.ComputedPromptTokens, second.ComputedPromptTokens, third.ComputedPromptTokens));
        harness.AssertEmpty();
    }

    [Fact]
    public void Admits_in_order_of_arrival_and_no_more_than_may_run()
    {
        var harness = new SchedulerHarness(runningMax: 2);
        for (var i = 0; i < 5; i++)
        {
            harness.Add(Prompt(2, i), answerTokens: 3);
        }

        harness.Step();
        Assert.Equal((2, 3), (harness.Scheduler.RunningCount, harness.Scheduler.WaitingCount));

        harness.RunToEnd();
        Assert.Equal([1, 2, 3, 4, 5], harness.Admitted.Select(id => id.Value));
    }

    [Fact]
    public void A_prompt_of_one_token_is_answered()
    {
        var harness = new SchedulerHarness();
        var sequence = harness.Add([7], answerTokens: 1);

        harness.RunToEnd();

        Assert.Equal(SequenceState.FinishedLength, sequence.State);
        harness.AssertAnsweredAsAlone(sequence);
    }

    [Fact]
    public void A_prompt_without_room_waits_and_those_behind_it_too()
    {
        var harness = new SchedulerHarness(blocks: 8);
        harness.Add(Prompt(16), answerTokens: 4);
        harness.Step();
        harness.Add(Prompt(20, 1), answerTokens: 4);
        harness.Add(Prompt(2, 2), answerTokens: 4);

        harness.Step();

        Assert.Equal((1, 2), (harness.Scheduler.RunningCount, harness.Scheduler.WaitingCount));
        harness.RunToEnd();
        harness.AssertEmpty();
    }

    [Fact]
    public void Preempts_newest_when_no_block_is_free_and_the_answer_stays_the_same()
    {
        var harness = new SchedulerHarness(blocks: 8);
        var sequences = new[]
        {
            harness.Add(Prompt(6), answerTokens: 20),
            harness.Add(Prompt(6, 1), answerTokens: 20),
            harness.Add(Prompt(6, 2), answerTokens: 20),
        };
        while (harness.Scheduler.PreemptionCount == 0)
        {
            harness.Step();
        }

        Assert.Equal(
            [SequenceState.Running, SequenceState.Running, SequenceState.Preempted], sequences.Select(sequence => sequence.State));

        harness.RunToEnd();
        Assert.All(sequences, harness.AssertAnsweredAsAlone);
        Assert.All(sequences, sequence => Assert.Equal(26, sequence.TokenCount));
        harness.AssertEmpty();
    }

    [Fact]
    public void The_newest_sits_out_rather_than_lose_its_own_blocks()
    {
        var harness = new SchedulerHarness(blocks: 4);
        var prefill = harness.Add(Prompt(8), SequenceWork.PrefillOnly);
        harness.Step();
        var sequence = harness.Add(Prompt(6, 1), answerTokens: 6);
        for (var step = 0; step < 3; step++)
        {
            Assert.NotEmpty(harness.Step());
        }

        Assert.Empty(harness.Step());
        Assert.Equal((SequenceState.Running, 0L), (sequence.State, harness.Scheduler.PreemptionCount));

        harness.Scheduler.Release(prefill);
        harness.RunToEnd();
        harness.AssertAnsweredAsAlone(sequence);
        harness.AssertEmpty();
    }

    [Fact]
    public void A_remote_prompt_reserves_its_blocks_and_only_its_last_token_is_computed()
    {
        var harness = new SchedulerHarness();
        var sequence = harness.Add(Prompt(11), SequenceWork.GenerateFromRemoteKv, answerTokens: 5);

        Assert.Empty(harness.Step());
        Assert.Equal((SequenceState.WaitingForRemoteKv, 3), (sequence.State, sequence.Table.Count));

        harness.FillRemotely(sequence, 10);
        harness.Scheduler.CompleteRemoteKv(sequence, 10);
        harness.RunToEnd();

        Assert.Equal(1, sequence.ComputedPromptTokens);
        harness.AssertAnsweredAsAlone(sequence);
        harness.AssertEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_remote_prompt_that_does_not_come_is_computed_here(bool isAdmittedFirst)
    {
        var harness = new SchedulerHarness();
        var sequence = harness.Add(Prompt(11), SequenceWork.GenerateFromRemoteKv, answerTokens: 5);
        if (isAdmittedFirst)
        {
            harness.Step();
        }

        harness.Scheduler.FailRemoteKv(sequence);
        harness.RunToEnd();

        Assert.Equal(11, sequence.ComputedPromptTokens);
        harness.AssertAnsweredAsAlone(sequence);
        harness.AssertEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_cancel_while_remote_kv_is_in_flight_waits_for_the_writer(bool completes)
    {
        var harness = new SchedulerHarness();
        var sequence = harness.Add(Prompt(11), SequenceWork.GenerateFromRemoteKv);
        harness.Step();

        harness.Scheduler.Cancel(sequence);
        harness.Step();
        Assert.Equal((SequenceState.WaitingForRemoteKv, 3), (sequence.State, harness.Pool.UsedCount));

        if (completes)
        {
            harness.Scheduler.CompleteRemoteKv(sequence, 10);
        }
        else
        {
            harness.Scheduler.FailRemoteKv(sequence);
        }

        Assert.Equal(SequenceState.FinishedCancelled, sequence.State);
        harness.AssertEmpty();
    }

    [Theory]
    [InlineData(true, SequenceState.FinishedCancelled)]
    [InlineData(false, SequenceState.FinishedReleased)]
    public void A_computed_prefill_keeps_its_blocks_until_it_is_released(bool isCancelled, SequenceState end)
    {
        var harness = new SchedulerHarness(batchTokensMax: 8);
        var sequence = harness.Add(Prompt(13), SequenceWork.PrefillOnly);
        harness.Step();
        harness.Step();
        Assert.Equal((SequenceState.PrefillComputed, 13), (sequence.State, sequence.ComputedPromptTokens));

        if (isCancelled)
        {
            harness.Scheduler.Cancel(sequence);
        }

        Assert.Empty(harness.Step());
        Assert.Equal(4, harness.Pool.UsedCount);

        harness.Scheduler.Release(sequence);
        Assert.Equal(end, sequence.State);
        harness.AssertEmpty();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void A_cancel_frees_the_blocks_at_once(int stepsBefore)
    {
        var harness = new SchedulerHarness(batchTokensMax: 8);
        var sequence = harness.Add(Prompt(13), answerTokens: 10);
        for (var step = 0; step < stepsBefore; step++)
        {
            harness.Step();
        }

        harness.Scheduler.Cancel(sequence);

        Assert.Equal(SequenceState.FinishedCancelled, sequence.State);
        harness.AssertEmpty();
        harness.Scheduler.Cancel(sequence);
    }

    [Fact]
    public void An_answer_ends_where_the_context_or_the_pool_ends()
    {
        var context = new SchedulerHarness(contextLength: 20);
        var pool = new SchedulerHarness(blocks: 4);
        var inContext = context.Add(Prompt(10), answerTokens: 1_000);
        var inPool = pool.Add(Prompt(10), answerTokens: 1_000);

        context.RunToEnd();
        pool.RunToEnd();

        Assert.Equal((20, SequenceState.FinishedLength), (inContext.TokenCount, inContext.State));
        Assert.Equal((16, SequenceState.FinishedLength), (inPool.TokenCount, inPool.State));
    }

    [Fact]
    public void Limits_refuse_what_can_never_fit_with_the_figures()
    {
        var limits = new AdmissionLimits(ContextLength: 20, PoolTokens: 16, WaitingSequencesMax: 2, VocabularySize: 32);

        Assert.Null(limits.Examine(Prompt(15), SequenceWork.Generate, 1));
        Assert.Null(limits.Examine(Prompt(16), SequenceWork.PrefillOnly, 1));
        AssertRefused(RefusalReason.PoolTooSmall, "16", limits.Examine(Prompt(16), SequenceWork.Generate, 0));
        AssertRefused(RefusalReason.ContextExceeded, "20", limits.Examine(Prompt(20), SequenceWork.Generate, 0));
        AssertRefused(RefusalReason.UnknownToken, "Prompt token 1 is 32", limits.Examine([0, 32], SequenceWork.Generate, 0));
        AssertRefused(RefusalReason.UnknownToken, "Prompt token 0 is -1", limits.Examine([-1], SequenceWork.Generate, 0));
        AssertRefused(RefusalReason.QueueFull, "2", limits.Examine([1], SequenceWork.Generate, 2));
    }

    private static void AssertRefused(RefusalReason reason, string figure, Refusal? refusal)
    {
        Assert.NotNull(refusal);
        Assert.Equal(reason, refusal.Reason);
        Assert.Contains(figure, refusal.Message);
    }
}
