using Serving.Engine.Scheduling;
using Serving.Worker.Loop;
using static Serving.Worker.Tests.Loop.LoopHarness;

namespace Serving.Worker.Tests.Loop;

public sealed class EngineLoopSignalTests
{
    /// <summary>The engine looks at what was submitted, then at what was signalled: a sequence may come and be given up in between.</summary>
    [Fact]
    public async Task What_is_given_up_at_once_is_never_unknown_to_the_scheduler()
    {
        await using var harness = new LoopHarness(waitingMax: 64);
        var prompt = Prompt(3);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 300_000 && !harness.Loop.HasFailed; i++)
            {
                if (harness.Loop.Submit(Request(prompt, SequenceWork.Generate, maxTokens: 1)).Handle is { } handle)
                {
                    handle.Dispose();
                }
            }
        })));

        Assert.False(harness.Loop.HasFailed);
        await EngineLoopTests.WaitForAsync(() => harness.Loop.Snapshot is { Waiting: 0, Running: 0, KvBlocksUsed: 0 });
    }
}
