using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;
using Serving.Worker.Loop;
using static Serving.Worker.Tests.Loop.LoopHarness;

namespace Serving.Worker.Tests.Loop;

public sealed class EngineLoopFailureTests
{
    [Fact]
    public async Task A_step_that_throws_fails_its_sequences_and_the_loop_goes_on()
    {
        await using var harness = new LoopHarness();
        var untouched = harness.Submit(Prompt(9), SequenceWork.GenerateFromRemoteKv, maxTokens: 4);
        await NextAsync(untouched);
        harness.Executor.OnStep = _ => throw new InvalidOperationException("the matrix is on fire");

        var failed = harness.Submit(Prompt(5));
        var (tokens, end) = await ReadToEndAsync(failed);

        Assert.Empty(tokens);
        Assert.Equal(SequenceOutputKind.Failed, end.Kind);
        Assert.Contains("the matrix is on fire", end.Error);
        Assert.Equal(3, harness.Loop.Snapshot.KvBlocksUsed);

        harness.Executor.OnStep = null;
        untouched.FailRemoteKv();
        Assert.Equal(harness.Executor.Expect(Prompt(9), 4, SamplingParameters.Greedy), (await ReadToEndAsync(untouched)).Tokens);
        harness.AssertNothingHeld();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Logits_that_are_not_finite_fail_only_their_own_sequence(int threads)
    {
        await using var harness = new LoopHarness(threads: threads);
        harness.Executor.OnLogits = plan =>
        {
            if (plan.SequenceCount == 2)
            {
                plan.Logits[plan.VocabularySize + 3] = float.NaN;
            }
        };
        using var gate = new ManualResetEventSlim();
        harness.Executor.OnStep = _ => gate.Wait(Patience);
        var healthy = harness.Submit(Prompt(5), maxTokens: 6);
        var broken = harness.Submit(Prompt(5, 1), maxTokens: 6);
        gate.Set();

        Assert.Contains("not finite", (await ReadToEndAsync(broken)).End.Error);
        Assert.Equal(6, (await ReadToEndAsync(healthy)).Tokens.Length);
        harness.AssertNothingHeld();
    }

    [Fact]
    public async Task A_listener_that_throws_does_not_stop_the_engine()
    {
        await using var harness = new LoopHarness();
        harness.Loop.LoadChanged += () => throw new InvalidOperationException("listener");

        Assert.Equal(4, (await ReadToEndAsync(harness.Submit(Prompt(5), maxTokens: 4))).Tokens.Length);
    }
}
