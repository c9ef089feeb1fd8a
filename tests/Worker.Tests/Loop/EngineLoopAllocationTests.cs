using Serving.Grammars;
using static Serving.Worker.Tests.Loop.LoopHarness;

namespace Serving.Worker.Tests.Loop;

public sealed class EngineLoopAllocationTests : IDisposable
{
    private const int Sequences = 4;
    private const int WarmUpSteps = 40;
    private const int WindowSteps = 20;

    private static readonly TokenVocabulary _letters = new(
        [.. Enumerable.Range(0, 32).Select(id => new[] { (byte)('A' + id) }).Select(text => new VocabularyToken(text, text))]);

    // Bytes that the engine's thread has allocated, at the start of each step that all sequences take part in.
    private readonly List<long> _allocated = new(400);

    // Holds the first step: without it the engine may be done with one sequence before the next is submitted.
    private readonly ManualResetEventSlim _allSubmitted = new();

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public async Task A_steady_state_of_decode_steps_allocates_nothing(int threads, bool isConstrained)
    {
        await using var harness = MakeHarness(threads);
        var grammar = isConstrained ? Task.FromResult(new CompiledGrammar(Grammar.Regex("([A-C]*[D-Z])*"), _letters)) : null;
        var handles = Enumerable.Range(0, Sequences).Select(i => harness.Loop.Submit(
            Request(Prompt(5, i), maxTokens: 300, sampling: SamplingOf(i)) with { Grammar = grammar }).Handle!).ToArray();
        _allSubmitted.Set();

        await EngineLoopTests.WaitForAsync(() => harness.Loop.Snapshot.GeneratedTokens == Sequences * 300);

        Assert.Equal(0, MedianOfWindows());
        foreach (var handle in handles)
        {
            Assert.Equal(300, (await ReadToEndAsync(handle)).Tokens.Length);
        }
    }

    [Fact]
    public async Task Waking_a_reader_allocates_nothing()
    {
        await using var harness = MakeHarness(threads: 1);
        var readers = Enumerable.Range(0, Sequences).Select(i => ReadToEndAsync(harness.Submit(Prompt(5, i), maxTokens: 300))).ToArray();
        _allSubmitted.Set();
        await Task.WhenAll(readers);

        Assert.Equal(0, MedianOfWindows());
    }

    public void Dispose() => _allSubmitted.Dispose();

    /// <summary>What the runtime makes once — the thread pool's queue grows when other tests load it, a thread waits for the first time — is in one window; what is ours would be in each.</summary>
    private long MedianOfWindows()
    {
        var windows = _allocated.Skip(WarmUpSteps).Chunk(WindowSteps).Select(window => window[^1] - window[0]).Order().ToArray();
        Assert.True(windows.Length >= 3, $"Only {_allocated.Count} steps had all sequences.");
        return windows[windows.Length / 2];
    }

    private LoopHarness MakeHarness(int threads) => new(blocks: 400, contextLength: 400, threads: threads, onStep: plan =>
    {
        _allSubmitted.Wait(Patience);
        if (plan.SequenceCount == Sequences)
        {
            _allocated.Add(GC.GetAllocatedBytesForCurrentThread());
        }
    });
}
