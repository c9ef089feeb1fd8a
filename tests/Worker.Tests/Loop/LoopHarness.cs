using Microsoft.Extensions.Logging.Abstractions;
using Serving.Engine.Execution;
using Serving.Engine.Kernels;
using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;
using Serving.TestKit;
using Serving.Worker.Loop;

namespace Serving.Worker.Tests.Loop;

/// <summary>An engine loop on a fake model.</summary>
internal sealed class LoopHarness : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ComputePool _pool;

    /// <param name="threads">Threads that sample.</param>
    public LoopHarness(
        int blocks = 64, int waitingMax = 16, int runningMax = 8, int contextLength = 64, int? waitingPerTenantMax = null,
        Action<StepPlan>? onStep = null, TimeProvider? time = null, int threads = 1)
    {
        _pool = new ComputePool(threads);
        Executor = new FakeModelExecutor(blocks, contextLength: contextLength) { OnStep = onStep };
        Loop = new EngineLoop(
            Executor,
            new EngineLoopOptions
            {
                Scheduling = new SchedulerOptions
                {
                    BatchTokensMax = 16,
                    DraftsMax = 4,
                    RunningSequencesMax = runningMax,
                    WaitingSequencesMax = waitingMax,
                    WaitingSequencesPerTenantMax = waitingPerTenantMax ?? waitingMax,
                },
            },
            time ?? TimeProvider.System,
            NullLogger.Instance,
            _pool);
    }

    public FakeModelExecutor Executor { get; }

    public EngineLoop Loop { get; }

    public SequenceHandle Submit(
        int[] prompt, SequenceWork work = SequenceWork.Generate, int? maxTokens = 8, SamplingParameters? sampling = null)
    {
        var result = Loop.Submit(Request(prompt, work, maxTokens, sampling));
        Assert.True(result.IsAccepted, result.Refusal?.Message);
        return result.Handle;
    }

    public static SequenceRequest Request(
        int[] prompt, SequenceWork work = SequenceWork.Generate, int? maxTokens = 8, SamplingParameters? sampling = null) => new()
        {
            RequestId = "test",
            PromptTokens = prompt,
            Work = work,
            MaxTokens = maxTokens,
            Sampling = sampling ?? SamplingParameters.Greedy,
        };

    /// <summary>Reads the next output.</summary>
    public static async Task<SequenceOutput> NextAsync(SequenceHandle handle) =>
        await handle.Outputs.ReadAsync().AsTask().WaitAsync(Patience);

    /// <summary>Reads a sequence to its end.</summary>
    public static async Task<(int[] Tokens, SequenceOutput End)> ReadToEndAsync(SequenceHandle handle)
    {
        var tokens = new List<int>();
        while (true)
        {
            var output = await NextAsync(handle);
            switch (output.Kind)
            {
                case SequenceOutputKind.Token:
                    Assert.Equal(tokens.Count, output.Position);
                    tokens.Add(output.TokenId);
                    break;
                case SequenceOutputKind.Finished or SequenceOutputKind.Failed:
                    return ([.. tokens], output);
            }
        }
    }

    public void AssertNothingHeld()
    {
        var snapshot = Loop.Snapshot;
        Assert.Equal(0, snapshot.KvBlocksUsed);
        Assert.Equal(0, snapshot.Waiting + snapshot.Running + snapshot.WaitingForRemoteKv + snapshot.PrefillComputed);
    }

    /// <summary>Greedy for even numbers, sampled with the number as seed for odd ones.</summary>
    public static SamplingParameters SamplingOf(int i) => i % 2 == 0 ? SamplingParameters.Greedy : new() { Temperature = 0.9f, TopP = 0.9f, Seed = i };

    public static int[] Prompt(int length, int seed = 0)
    {
        var random = new Random(seed);
        return Enumerable.Range(0, length).Select(_ => random.Next(32)).ToArray();
    }

    public async ValueTask DisposeAsync()
    {
        await Loop.DisposeAsync();
        Assert.False(Loop.HasFailed, "The engine failed.");
        Executor.Dispose();
        _pool.Dispose();
    }
}
