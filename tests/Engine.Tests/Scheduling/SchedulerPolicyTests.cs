using Serving.Engine.Scheduling;
using static Serving.Engine.Tests.Scheduling.SchedulerHarness;

namespace Serving.Engine.Tests.Scheduling;

/// <summary>Who goes first, who has to go, and how much fits into the time of a step.</summary>
public sealed class SchedulerPolicyTests
{
    [Fact]
    public void A_higher_priority_is_admitted_before_those_that_came_earlier()
    {
        var harness = new SchedulerHarness(runningMax: 1);
        harness.Add(Prompt(2), priority: SequencePriority.Flex);
        harness.Add(Prompt(2, 1));
        harness.Add(Prompt(2, 2), priority: SequencePriority.Priority);
        harness.Add(Prompt(2, 3));

        harness.RunToEnd();

        Assert.Equal([3, 2, 4, 1], harness.Admitted.Select(id => id.Value));
    }

    [Fact]
    public void The_lowest_priority_loses_its_blocks_first_and_the_latest_of_it()
    {
        var harness = new SchedulerHarness(blocks: 8);
        var sequences = new[]
        {
            harness.Add(Prompt(6), answerTokens: 20),
            harness.Add(Prompt(6, 1), answerTokens: 20, priority: SequencePriority.Flex),
            harness.Add(Prompt(6, 2), answerTokens: 20, priority: SequencePriority.Priority),
        };
        var preempted = new List<long>();
        while (harness.Scheduler.SequenceCount > 0)
        {
            var before = harness.Scheduler.PreemptionCount;
            harness.Step();
            if (harness.Scheduler.PreemptionCount > before)
            {
                preempted.AddRange(sequences.Where(sequence => sequence.State == SequenceState.Preempted).Select(sequence => sequence.Id.Value));
            }
        }

        Assert.Equal(2, preempted[0]);
        Assert.DoesNotContain(3, preempted);
        Assert.All(sequences, harness.AssertAnsweredAsAlone);
        harness.AssertEmpty();
    }

    [Fact]
    public void Nobody_is_admitted_in_a_step_that_preempted()
    {
        var harness = new SchedulerHarness(blocks: 8);
        for (var i = 0; i < 3; i++)
        {
            harness.Add(Prompt(6, i), answerTokens: 20);
        }

        while (harness.Scheduler.PreemptionCount == 0)
        {
            harness.Step();
        }

        Assert.Equal(3, harness.Admitted.Count);
        harness.RunToEnd();
        Assert.True(harness.Admitted.Count > 3);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void A_sequence_past_its_deadline_ends_with_its_own_reason(int stepsBefore)
    {
        var harness = new SchedulerHarness(batchTokensMax: 8);
        var late = harness.Add(Prompt(13), answerTokens: 10, deadline: 100);
        var other = harness.Add(Prompt(13, 1), answerTokens: 10, deadline: 101);
        for (var step = 0; step < stepsBefore; step++)
        {
            harness.Step();
        }

        Assert.Equal(100, harness.Scheduler.NextDeadline());
        harness.Scheduler.ExpireDeadlines(99);
        Assert.False(late.IsFinished);
        harness.Scheduler.ExpireDeadlines(100);

        Assert.Equal((SequenceState.FinishedDeadline, false), (late.State, other.IsFinished));
        harness.RunToEnd();
        harness.AssertAnsweredAsAlone(other);
        harness.AssertEmpty();
    }

    [Fact]
    public void A_deadline_while_remote_kv_is_in_flight_waits_for_the_writer()
    {
        var harness = new SchedulerHarness();
        var sequence = harness.Add(Prompt(11), SequenceWork.GenerateFromRemoteKv, deadline: 5);
        harness.Step();

        harness.Scheduler.ExpireDeadlines(6);
        harness.Scheduler.Cancel(sequence);
        Assert.Equal((SequenceState.WaitingForRemoteKv, 3), (sequence.State, harness.Pool.UsedCount));

        harness.Scheduler.FailRemoteKv(sequence);
        Assert.Equal(SequenceState.FinishedDeadline, sequence.State);
        harness.AssertEmpty();
    }

    [Fact]
    public void Chunks_are_as_long_as_the_time_of_a_step_allows()
    {
        var harness = new SchedulerHarness(blocks: 200, batchTokensMax: 64, contextLength: 512, stepTimeMax: TimeSpan.FromMilliseconds(100));
        harness.Add(Prompt(300), answerTokens: 1);

        // Nothing is known of the cost at first.
        Assert.Equal([(1, 64)], harness.Step());

        // 5 ms a token: 20 fit.
        harness.Scheduler.ObserveStep(TimeSpan.FromMilliseconds(320));
        Assert.Equal([(1, 20)], harness.Step());

        // As long as it likes: at least a block goes on.
        harness.Scheduler.ObserveStep(TimeSpan.FromSeconds(100));
        Assert.Equal([(1, 4)], harness.Step());

        // And as soon as steps are cheap again the chunks are long again.
        for (var step = 0; step < 40; step++)
        {
            harness.Scheduler.ObserveStep(TimeSpan.FromMilliseconds(4));
            harness.Step();
        }

        Assert.Equal(0, harness.Scheduler.SequenceCount);
    }

    [Fact]
    public void Decode_rows_leave_less_time_for_chunks()
    {
        var harness = new SchedulerHarness(blocks: 200, batchTokensMax: 64, contextLength: 512, stepTimeMax: TimeSpan.FromMilliseconds(100));
        harness.Add(Prompt(64), answerTokens: 100);
        harness.Step();
        harness.Scheduler.ObserveStep(TimeSpan.FromMilliseconds(64));
        harness.Step();
        harness.Scheduler.ObserveStep(TimeSpan.FromMilliseconds(60));

        harness.Add(Prompt(300, 1), answerTokens: 1);

        // A decode row takes 60 ms, a prompt token 1 ms: 40 are left.
        Assert.Equal([(1, 1), (2, 40)], harness.Step());
    }

    [Fact]
    public void A_tenant_s_own_bound_is_refused_apart()
    {
        var limits = new AdmissionLimits(ContextLength: 20, PoolTokens: 16, WaitingSequencesMax: 4, VocabularySize: 32) { WaitingSequencesPerTenantMax = 2 };

        Assert.Null(limits.Examine([1], SequenceWork.Generate, 3, 1));
        var refusal = limits.Examine([1], SequenceWork.Generate, 3, 2)!;
        Assert.Equal((RefusalReason.TenantQueueFull, 2), (refusal.Reason, refusal.SequencesMax));
        Assert.Equal(RefusalReason.QueueFull, limits.Examine([1], SequenceWork.Generate, 4, 2)?.Reason);
    }
}
