using static Serving.Worker.Tests.Loop.LoopHarness;

namespace Serving.Worker.Tests.Loop;

public sealed class EngineLoopAllocationTests
{
    private const int WindowSteps = 20;

    // Bytes that the engine's thread has allocated, at the start of each step.
    private readonly long[] _allocated = new long[400];
    private int _steps;

    [Fact]
    public async Task A_steady_state_of_decode_steps_allocates_nothing()
    {
        await using var harness = MakeHarness();
        var handles = Enumerable.Range(0, 4).Select(i => harness.Submit(
            Prompt(5, i), maxTokens: 300, sampling: SamplingOf(i))).ToArray();

        await EngineLoopTests.WaitForAsync(() => harness.Loop.Snapshot.GeneratedTokens == 4 * 300);

        Assert.Equal(0, _allocated[280] - _allocated[40]);
        foreach (var handle in handles)
        {
            Assert.Equal(300, (await ReadToEndAsync(handle)).Tokens.Length);
        }
    }

    [Fact]
    public async Task Waking_a_reader_allocates_nothing()
    {
        await using var harness = MakeHarness();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => ReadToEndAsync(harness.Submit(Prompt(5, i), maxTokens: 300))));

        // The thread pool's own queue may grow in a window when other tests load it; what is ours would show in each.
        var windows = Enumerable.Range(2, 12)
            .Select(i => _allocated[(i + 1) * WindowSteps] - _allocated[i * WindowSteps])
            .Order()
            .ToArray();
        Assert.Equal(0, windows[windows.Length / 2]);
    }

    private LoopHarness MakeHarness() => new(blocks: 400, contextLength: 400, onStep: _ =>
        _allocated[Math.Min(_steps++, _allocated.Length - 1)] = GC.GetAllocatedBytesForCurrentThread());
}
