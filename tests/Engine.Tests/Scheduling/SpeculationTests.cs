using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;

namespace Serving.Engine.Tests.Scheduling;

/// <summary>Guessing tokens changes how many steps an answer takes, and nothing else.</summary>
public sealed class SpeculationTests
{
    // A text of two tokens repeats itself by chance, so that some guesses hold and some fail.
    private static readonly TokenBias[] _twoTokens = [new(3, 60), new(4, 60)];

    [Fact]
    public void A_text_that_repeats_itself_takes_fewer_steps()
    {
        var always = SamplingParameters.Greedy with { LogitBias = new[] { new TokenBias(7, 90) } };
        var plain = new SchedulerHarness();
        plain.Add([1, 2], answerTokens: 40, sampling: always);
        plain.RunToEnd();
        var guessing = new SchedulerHarness(draftsMax: 8);
        var sequence = guessing.Add([1, 2], answerTokens: 40, sampling: always);
        guessing.RunToEnd();

        Assert.Equal(40, plain.Executor.Steps);
        Assert.InRange(guessing.Executor.Steps, 1, 15);
        Assert.Equal(Enumerable.Repeat(7, 40), Answer(sequence));
        Assert.InRange(guessing.Scheduler.AcceptedCount, 25, guessing.Scheduler.DraftedCount);
    }

    [Fact]
    public void Mixed_requests_get_the_tokens_that_each_gets_alone()
    {
        long drafted = 0, accepted = 0, preempted = 0;
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var harness = new SchedulerHarness(
                blocks: random.Next(16, 40), batchTokensMax: random.Next(5, 24), runningMax: 5, draftsMax: random.Next(1, 12));
            var sequences = new List<(int[] Prompt, Sequence Sequence)>();
            while (sequences.Count < 8 || harness.Scheduler.SequenceCount > 0)
            {
                if (sequences.Count < 8 && random.Next(3) == 0)
                {
                    int[] prompt = [.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => random.Next(3, 5))];
                    var sampling = SamplingParameters.Greedy with
                    {
                        Temperature = random.Next(2) * 40,
                        Seed = random.Next(),
                        LogitBias = _twoTokens,
                        FrequencyPenalty = random.Next(3) == 0 ? 1 : 0,
                    };
                    sequences.Add((prompt, harness.Add(prompt, answerTokens: random.Next(1, 40), sampling: sampling)));
                }

                if (harness.Scheduler.SequenceCount > 0)
                {
                    harness.Step();
                }
            }

            foreach (var (prompt, sequence) in sequences)
            {
                var expected = harness.Executor.Expect(prompt, sequence.TokenCount - sequence.PromptLength, sequence.Sampling);
                Assert.Equal(expected, Answer(sequence));
                Assert.Equal(SequenceState.FinishedLength, sequence.State);
            }

            drafted += harness.Scheduler.DraftedCount;
            accepted += harness.Scheduler.AcceptedCount;
            preempted += harness.Scheduler.PreemptionCount;
        }

        Assert.InRange(accepted, 1_000, drafted - 1_000);
        Assert.InRange(preempted, 50, long.MaxValue);
    }

    private static IEnumerable<int> Answer(Sequence sequence) => sequence.Tokens.ToArray().Skip(sequence.PromptLength);
}
