using Serving.Engine.KvCache;
using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;

namespace Serving.Engine.Tests.Scheduling;

/// <summary>Random arrivals, cancels, hand-offs and releases in pools of all sizes; a failure names the seed.</summary>
public sealed class SchedulerInterleavingTests
{
    [Theory]
    [InlineData(0, 0, 50)]
    [InlineData(0, 7, 20)]
    [InlineData(18, 18, 20)]
    [InlineData(12, 18, 1)]
    [InlineData(5, 5, 0)] // Whoever is admitted never needs more.
    public void Each_sequence_gets_the_tokens_it_gets_alone_and_no_block_is_lost(int window, int otherWindow, int preemptionsMin)
    {
        var (preemptions, cachedTokens) = (0L, 0L);
        for (var seed = 0; seed < 200; seed++)
        {
            try
            {
                var (preempted, cached) = RunOne(new Random(seed), [window, otherWindow]);
                preemptions += preempted;
                cachedTokens += cached;
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"Seed {seed} fails: {exception.Message}", exception);
            }
        }

        Assert.True(preemptions >= preemptionsMin, $"Only {preemptions} preemptions: the pools are too large to test them.");
        Assert.True(cachedTokens > 1_000, $"Only {cachedTokens} tokens were cached: the prompts share too little to test it.");
    }

    private static (long Preemptions, long CachedTokens) RunOne(Random random, int[] windows)
    {
        var harness = new SchedulerHarness(
            blocks: random.Next(8, 24) * KvGroups.Of(windows).Count, batchTokensMax: random.Next(8, 40), runningMax: random.Next(1, 9), contextLength: 32,
            windows: windows);
        var sequences = new List<Sequence>();
        var left = 12;
        for (var step = 0; left > 0 || harness.Scheduler.SequenceCount > 0; step++)
        {
            Assert.True(step < 5_000, $"{harness.Scheduler.SequenceCount} sequences are left after 5000 steps.");
            if (left > 0 && random.Next(3) == 0)
            {
                left--;
                sequences.Add(Arrive(harness, sequences, random));
            }

            Disturb(harness, sequences, random);
            harness.Step();
        }

        foreach (var sequence in sequences)
        {
            harness.AssertAnsweredAsAlone(sequence);
        }

        harness.AssertEmpty();
        return (harness.Scheduler.PreemptionCount, sequences.Sum(sequence => sequence.CachedTokens));
    }

    private static Sequence Arrive(SchedulerHarness harness, List<Sequence> sequences, Random random)
    {
        var sampling = random.Next(2) == 0 ? SamplingParameters.Greedy : new() { Temperature = 0.9f, TopP = 0.9f, Seed = random.Next() };

        if (sequences.Count > 0 && sequences[^1].Work != SequenceWork.PrefillOnly && random.Next(3) == 0)
        {
            var parent = sequences[^1].Parent ?? sequences[^1];
            return harness.Add(
                parent.Tokens.ToArray()[..parent.PromptLength], SequenceWork.Generate, random.Next(1, 24), sampling, parent.CanShareBlocks ? "" : null, forkOf: parent);
        }

        // Few beginnings, so that many prompts share one.
        int[] prompt = [.. SchedulerHarness.Prompt(random.Next(12), random.Next(3)), .. SchedulerHarness.Prompt(random.Next(1, 8), random.Next())];
        return harness.Add(
            prompt, (SequenceWork)random.Next(3), random.Next(1, 24), sampling, random.Next(8) == 0 ? null : "");
    }

    private static void Disturb(SchedulerHarness harness, List<Sequence> sequences, Random random)
    {
        foreach (var sequence in sequences)
        {
            if (!sequence.IsFinished && random.Next(60) == 0)
            {
                harness.Scheduler.Cancel(sequence);
            }

            if (sequence.State == SequenceState.PrefillComputed && random.Next(4) == 0)
            {
                harness.Scheduler.Release(sequence);
            }
            else if (sequence.State == SequenceState.WaitingForRemoteKv && random.Next(4) == 0)
            {
                EndRemoteKv(harness, sequence, random);
            }
        }
    }

    private static void EndRemoteKv(SchedulerHarness harness, Sequence sequence, Random random)
    {
        var tokens = sequence.PromptLength - 1;
        if (tokens == 0 || random.Next(3) == 0)
        {
            harness.Scheduler.FailRemoteKv(sequence);
            return;
        }

        harness.FillRemotely(sequence, tokens);
        harness.Scheduler.CompleteRemoteKv(sequence, tokens);
    }
}
