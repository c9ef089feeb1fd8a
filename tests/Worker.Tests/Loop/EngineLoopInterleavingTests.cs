using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;
using Serving.Worker.Loop;
using static Serving.Worker.Tests.Loop.LoopHarness;

namespace Serving.Worker.Tests.Loop;

/// <summary>Many callers on many threads against a small pool.</summary>
public sealed class EngineLoopInterleavingTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Callers_that_come_and_go_leave_nothing_behind(int seed)
    {
        await using var harness = new LoopHarness(blocks: 20, waitingMax: 200, contextLength: 40);

        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Task.Run(() => CallAsync(harness, new Random((seed * 1_000) + i)))));

        harness.AssertNothingHeld();
        await harness.Loop.StopAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
        harness.AssertNothingHeld();
    }

    private static async Task CallAsync(LoopHarness harness, Random random)
    {
        var prompt = Prompt(random.Next(2, 20), random.Next());
        var work = (SequenceWork)random.Next(3);
        var handle = harness.Submit(prompt, work, random.Next(1, 20), new SamplingParameters { Temperature = 0.8f, TopP = 0.9f, Seed = random.Next() });
        var reading = ReadToEndAsync(handle);
        switch (work)
        {
            case SequenceWork.GenerateFromRemoteKv:
                handle.FailRemoteKv();
                break;
            case SequenceWork.PrefillOnly:
                handle.Release();
                break;
        }

        if (random.Next(3) == 0)
        {
            await Task.Yield();
            handle.Dispose();
        }

        var (tokens, end) = await reading;
        Assert.Equal(SequenceOutputKind.Finished, end.Kind);
        Assert.Equal(harness.Executor.Expect(prompt, tokens.Length, handle.Sequence.Sampling), tokens);
    }
}
