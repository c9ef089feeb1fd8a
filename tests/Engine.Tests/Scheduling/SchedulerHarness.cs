using Serving.Engine.Execution;
using Serving.Engine.KvCache;
using Serving.Engine.Scheduling;
using Serving.TestKit;

namespace Serving.Engine.Tests.Scheduling;

/// <summary>A scheduler with a fake model, driven step by step.</summary>
internal sealed class SchedulerHarness : SchedulerDriver
{
    public SchedulerHarness(
        int blocks = 64, int batchTokensMax = 32, int runningMax = 8, int contextLength = 64, TimeSpan? stepTimeMax = null, int draftsMax = 0, int[]? windows = null)
        : this(new FakeModelExecutor(blocks, contextLength: contextLength, windows: windows), batchTokensMax, runningMax, stepTimeMax, draftsMax, windows)
    {
    }

    private SchedulerHarness(FakeModelExecutor executor, int batchTokensMax, int runningMax, TimeSpan? stepTimeMax, int draftsMax, int[]? windows)
        : base(executor, executor.KvBlockCount, new SchedulerOptions
        {
            BatchTokensMax = batchTokensMax,
            RunningSequencesMax = runningMax,
            StepTimeMax = stepTimeMax ?? TimeSpan.FromSeconds(1),
            DraftsMax = draftsMax,
        }) => (Executor, Windows) = (executor, windows);

    public FakeModelExecutor Executor { get; }

    private int[]? Windows { get; }

    public static int[] Prompt(int length, int seed = 0)
    {
        var random = new Random(seed);
        return Enumerable.Range(0, length).Select(_ => random.Next(32)).ToArray();
    }

    /// <summary>
    /// Does what a hand-off does: writes the KV of the first <paramref name="tokens"/> prompt tokens into the sequence's blocks, where it is not cached.
    /// </summary>
    public void FillRemotely(Sequence sequence, int tokens)
    {
        var layout = Executor.KvLayout;
        using var remote = new FakeModelExecutor(layout.Groups.Count * sequence.Table.Count, windows: Windows);
        var blocks = new BlockId[layout.Groups.Count * sequence.Table.Count];
        for (var i = 0; i < blocks.Length; i++)
        {
            blocks[i] = new BlockId(i);
        }

        var plan = new StepPlan(tokens, 1, remote.Model.VocabularySize);
        plan.Add(sequence.Tokens.Span[..tokens], 0, blocks, wantsLogits: false);
        remote.Execute(plan);
        for (var layer = 0; layer < layout.Layers; layer++)
        {
            var group = layout.Groups.GroupOf(layer);
            for (var i = sequence.CachedTokens / layout.BlockSize; i < layout.BlocksFor(tokens); i++)
            {
                var slots = Math.Min(layout.BlockSize, tokens - (i * layout.BlockSize));
                var bytes = new byte[slots * layout.BytesPerTokenPerLayer];
                remote.ExportBlock(layer, blocks[(group * sequence.Table.Count) + i], slots, bytes);
                Executor.ImportBlock(layer, sequence.Table.Of(group)[i], slots, bytes);
            }
        }
    }

    public void AssertAnsweredAsAlone(Sequence sequence)
    {
        var tokens = sequence.Tokens.ToArray();
        var answer = tokens[sequence.PromptLength..];
        Assert.Equal(Executor.Expect(tokens.AsSpan(0, sequence.PromptLength), answer.Length, sequence.Sampling), answer);
    }
}
