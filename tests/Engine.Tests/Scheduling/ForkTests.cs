using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;
using static Serving.Engine.Tests.Scheduling.SchedulerHarness;

namespace Serving.Engine.Tests.Scheduling;

/// <summary>Several answers to one prompt. Blocks of the fake model hold 4 tokens.</summary>
public sealed class ForkTests
{
    private const int Answers = 5;

    [Theory]
    [InlineData(14, "", 4 + 4)] // Three full blocks and one with two tokens, which each of the other four has of its own.
    [InlineData(14, null, 4 + 4)]
    [InlineData(13, null, 4 + 4)] // The prompt's last token is alone in its block.
    [InlineData(12, null, 3 + 4)] // It is the last of a block: the block is each one's own.
    [InlineData(1, null, 1 + 4)]
    public void Full_blocks_of_the_prompt_are_shared_and_the_partial_one_is_copied(int length, string? salt, int blocks)
    {
        var harness = new SchedulerHarness();
        var group = AddGroup(harness, length, answerTokens: 9, salt);

        Assert.Equal([(1, length)], harness.Step());

        Assert.All(group, sequence => Assert.Equal(SequenceState.Running, sequence.State));
        Assert.Equal(blocks, harness.Pool.UsedCount);
        Assert.Equal([(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)], harness.Step());
        harness.RunToEnd();
        Assert.Equal(length + Answers - 1, group.Sum(sequence => sequence.ComputedPromptTokens));
        AssertAnsweredAsAlone(harness, group);
    }

    [Fact]
    public void An_answer_of_one_token_still_leaves_the_prompt_to_the_others()
    {
        var harness = new SchedulerHarness(windows: [0, 3]);
        var group = AddGroup(harness, 14, answerTokens: 1, salt: null);

        harness.Step();

        Assert.True(group[0].IsFinished);
        harness.RunToEnd();
        Assert.All(group[1..], sequence => Assert.Equal((13, 1), (sequence.CachedTokens, sequence.ComputedPromptTokens)));
        AssertAnsweredAsAlone(harness, group);
    }

    [Fact]
    public void Those_that_have_no_room_to_run_fork_once_there_is_some()
    {
        var harness = new SchedulerHarness(runningMax: 3);
        var group = AddGroup(harness, 14, answerTokens: 3, salt: null, firstAnswerTokens: 20);
        harness.Step();
        Assert.Equal((3, 2), (harness.Scheduler.RunningCount, harness.Scheduler.WaitingCount));

        harness.RunToEnd();

        // The first one, from which they fork, is there longest.
        Assert.Equal(14 + Answers - 1, group.Sum(sequence => sequence.ComputedPromptTokens));
        AssertAnsweredAsAlone(harness, group);
    }

    [Fact]
    public void When_the_one_that_was_to_compute_the_prompt_is_given_up_the_others_go_on()
    {
        var harness = new SchedulerHarness(batchTokensMax: 8);
        var group = AddGroup(harness, 14, answerTokens: 6, salt: null);
        harness.Step();
        Assert.Equal((1, 4), (harness.Scheduler.RunningCount, harness.Scheduler.WaitingCount));

        harness.Scheduler.Cancel(group[0]);

        harness.RunToEnd();
        AssertAnsweredAsAlone(harness, group);
    }

    [Fact]
    public void What_waits_for_a_prompt_does_not_keep_others_waiting()
    {
        var harness = new SchedulerHarness();
        var group = AddGroup(harness, 14, answerTokens: 6, salt: null, work: SequenceWork.GenerateFromRemoteKv);
        var other = harness.Add(Prompt(5, 9), answerTokens: 4);

        harness.Step();
        Assert.Equal((SequenceState.WaitingForRemoteKv, SequenceState.Waiting, SequenceState.Running), (group[0].State, group[1].State, other.State));

        harness.FillRemotely(group[0], 13);
        harness.Scheduler.CompleteRemoteKv(group[0], 13);
        harness.RunToEnd();
        Assert.Equal(Answers, group.Sum(sequence => sequence.ComputedPromptTokens));
        AssertAnsweredAsAlone(harness, [.. group, other]);
    }

    [Fact]
    public void A_group_in_a_pool_too_small_for_it_is_answered_all_the_same()
    {
        var harness = new SchedulerHarness(blocks: 9);
        var group = AddGroup(harness, 14, answerTokens: 16, salt: null);

        harness.RunToEnd();

        Assert.True(harness.Scheduler.PreemptionCount > 0);
        AssertAnsweredAsAlone(harness, group);
    }

    [Fact]
    public void Only_the_same_prompt_and_salt_may_share()
    {
        var harness = new SchedulerHarness();
        var one = harness.Add(Prompt(9));

        Assert.True(harness.Add(Prompt(9)).CanShareBlocksWith(one));
        Assert.False(harness.Add(Prompt(9), salt: "another").CanShareBlocksWith(one));
        Assert.False(harness.Add(Prompt(9, 1)).CanShareBlocksWith(one));
        Assert.False(harness.Add(Prompt(8)).CanShareBlocksWith(one));
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)] // Its blocks are known by no identity.
    public void One_that_fails_leaves_the_others_their_blocks(string? salt)
    {
        var harness = new SchedulerHarness();
        var group = AddGroup(harness, 14, answerTokens: 6, salt);
        harness.Step();

        harness.Scheduler.Finish(group[1], SequenceState.FinishedFailed);

        Assert.Equal(SequenceState.FinishedFailed, group[1].State);
        harness.RunToEnd();
        AssertAnsweredAsAlone(harness, [group[0], .. group[2..]]);
    }

    private static Sequence[] AddGroup(
        SchedulerHarness harness, int promptLength, int answerTokens, string? salt, int? firstAnswerTokens = null, SequenceWork work = SequenceWork.Generate)
    {
        var first = harness.Add(Prompt(promptLength), work, firstAnswerTokens ?? answerTokens, Sampling(0), salt);
        return
        [
            first,
            .. Enumerable.Range(1, Answers - 1)
                .Select(choice => harness.Add(Prompt(promptLength), SequenceWork.Generate, answerTokens, Sampling(choice), salt, forkOf: first)),
        ];
    }

    private static SamplingParameters Sampling(int choice) => new() { Temperature = 0.9f, TopP = 0.95f, Seed = 7, Choice = choice };

    private static void AssertAnsweredAsAlone(SchedulerHarness harness, Sequence[] sequences)
    {
        Assert.All(sequences, harness.AssertAnsweredAsAlone);
        Assert.True(sequences.Select(sequence => string.Join(' ', sequence.Tokens.ToArray())).Distinct().Count() > 1);
        harness.AssertEmpty();
    }
}
