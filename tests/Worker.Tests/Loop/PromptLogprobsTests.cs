using Serving.Engine.Sampling;
using Serving.Worker.Loop;

namespace Serving.Worker.Tests.Loop;

/// <summary>A prompt token's log probability is the one that it has where the model writes it as its answer.</summary>
public sealed class PromptLogprobsTests
{
    [Fact]
    public async Task Prompts_have_the_log_probabilities_that_the_same_tokens_have_as_answers()
    {
        const int prompts = 24;
        await using var harness = new LoopHarness(blocks: 40, waitingMax: 2 * prompts, threads: 2);
        var random = new Random(7);
        var cases = new List<(int[] Prompt, int[] Answer, SequenceHandle Written)>();
        for (var i = 0; i < prompts; i++)
        {
            var prompt = LoopHarness.Prompt(random.Next(1, 12), seed: i);
            var written = harness.Submit(prompt, maxTokens: random.Next(1, 40), sampling: LoopHarness.SamplingOf(i) with { Logprobs = 3 });
            cases.Add((prompt, (await LoopHarness.ReadToEndAsync(written)).Tokens, written));
        }

        // All at once, more than the pool has blocks for: chunks share steps with decodes, and some are preempted.
        var read = cases
            .Select(known => harness.Submit(
                [.. known.Prompt, .. known.Answer], maxTokens: 8, sampling: SamplingParameters.Greedy with { Logprobs = 3, PromptLogprobs = true }))
            .ToArray();
        for (var i = 0; i < prompts; i++)
        {
            await LoopHarness.ReadToEndAsync(read[i]);
            var (prompt, answer, written) = cases[i];
            Assert.Equal(prompt.Length + answer.Length - 1, read[i].PromptLogprobs!.Count);
            for (var place = 0; place < answer.Length; place++)
            {
                Assert.Equal(written.Logprobs![place].ToArray(), read[i].PromptLogprobs![prompt.Length - 1 + place].ToArray());
            }
        }
    }

    [Fact]
    public async Task A_cached_beginning_is_computed_again_for_its_log_probabilities()
    {
        await using var harness = new LoopHarness();
        var prompt = LoopHarness.Prompt(20);
        await LoopHarness.ReadToEndAsync(harness.Submit(prompt));

        var sequence = harness.Submit(prompt, sampling: SamplingParameters.Greedy with { Logprobs = 0, PromptLogprobs = true });
        await LoopHarness.ReadToEndAsync(sequence);

        Assert.Equal((0, 19), (sequence.CachedTokens, sequence.PromptLogprobs!.Count));
    }

    [Fact]
    public async Task Nobody_pays_who_does_not_ask()
    {
        await using var harness = new LoopHarness();
        var sequence = harness.Submit(LoopHarness.Prompt(20), sampling: SamplingParameters.Greedy with { Logprobs = 2 });
        await LoopHarness.ReadToEndAsync(sequence);

        Assert.Null(sequence.PromptLogprobs);
    }
}
