using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;
using Serving.Worker.Loop;
using static Serving.Worker.Tests.Loop.LoopHarness;

namespace Serving.Worker.Tests.Loop;

/// <summary>Prompt and answer in two engines, with the KV cache carried from one to the other.</summary>
public sealed class EngineLoopHandOffTests
{
    [Fact]
    public async Task A_hand_off_gives_the_same_answer_and_the_decode_engine_computes_one_prompt_token()
    {
        await using var prefill = new LoopHarness();
        await using var decode = new LoopHarness();
        var prompt = Prompt(23);

        var receiver = decode.Submit(prompt, SequenceWork.GenerateFromRemoteKv, maxTokens: 12);
        Assert.Equal(SequenceOutputKind.BlocksReserved, (await NextAsync(receiver)).Kind);
        var sender = prefill.Submit(prompt[..^1], SequenceWork.PrefillOnly);
        Assert.Equal(SequenceOutputKind.PrefillComputed, (await NextAsync(sender)).Kind);
        Assert.Equal((1, 6), (prefill.Loop.Snapshot.PrefillComputed, prefill.Loop.Snapshot.KvBlocksUsed));
        Carry(prefill, sender, decode, receiver, prompt.Length - 1);
        sender.Release();
        receiver.CompleteRemoteKv(prompt.Length - 1);

        var (tokens, _) = await ReadToEndAsync(receiver);
        Assert.Equal(decode.Executor.Expect(prompt, 12, SamplingParameters.Greedy), tokens);
        Assert.Equal((22, 1), (sender.ComputedPromptTokens, receiver.ComputedPromptTokens));
        Assert.True(receiver.Timings.RemoteKv > TimeSpan.Zero);
        Assert.Equal(SequenceState.FinishedReleased, (await ReadToEndAsync(sender)).End.State);
        prefill.AssertNothingHeld();
        decode.AssertNothingHeld();
    }

    [Fact]
    public async Task Who_is_told_of_blocks_finds_them_in_the_snapshot()
    {
        using var stepEntered = new SemaphoreSlim(0);
        using var stepMayRun = new SemaphoreSlim(0);
        await using var harness = new LoopHarness(onStep: _ =>
        {
            stepEntered.Release();
            stepMayRun.Wait(Patience);
        });
        harness.Submit(Prompt(3), maxTokens: 3);
        Assert.True(await stepEntered.WaitAsync(Patience, TestContext.Current.CancellationToken));
        var remote = harness.Submit(Prompt(9), SequenceWork.GenerateFromRemoteKv);
        stepMayRun.Release();

        // The engine is in the step that follows the admission, and so has not come to where it always publishes.
        Assert.Equal(SequenceOutputKind.BlocksReserved, (await NextAsync(remote)).Kind);
        Assert.Equal((1, 4), (harness.Loop.Snapshot.WaitingForRemoteKv, harness.Loop.Snapshot.KvBlocksUsed));

        stepMayRun.Release(100);
        remote.FailRemoteKv();
    }

    [Fact]
    public async Task A_hand_off_that_fails_is_computed_here()
    {
        await using var harness = new LoopHarness();
        var handle = harness.Submit(Prompt(23), SequenceWork.GenerateFromRemoteKv, maxTokens: 12);
        await NextAsync(handle);

        handle.FailRemoteKv();
        handle.CompleteRemoteKv(22);

        var (tokens, _) = await ReadToEndAsync(handle);
        Assert.Equal(harness.Executor.Expect(Prompt(23), 12, SamplingParameters.Greedy), tokens);
        Assert.Equal(23, handle.ComputedPromptTokens);
    }

    [Fact]
    public async Task A_cancel_leaves_the_blocks_to_the_writer_until_it_is_done()
    {
        await using var harness = new LoopHarness();
        var handle = harness.Submit(Prompt(9), SequenceWork.GenerateFromRemoteKv);
        await NextAsync(handle);

        handle.Cancel();
        await ReadToEndAsync(harness.Submit(Prompt(3), maxTokens: 3));
        Assert.Equal((1, 3), (harness.Loop.Snapshot.WaitingForRemoteKv, harness.Loop.Snapshot.KvBlocksUsed));

        handle.CompleteRemoteKv(8);
        Assert.Equal(SequenceState.FinishedCancelled, (await ReadToEndAsync(handle)).End.State);
        harness.AssertNothingHeld();
    }

    [Theory]
    [InlineData(SequenceWork.GenerateFromRemoteKv)]
    [InlineData(SequenceWork.PrefillOnly)]
    public async Task Disposing_frees_what_is_held_for_others(SequenceWork work)
    {
        await using var harness = new LoopHarness();
        var handle = harness.Submit(Prompt(9), work);
        await NextAsync(handle);
        Assert.Equal(3, handle.PromptBlocks.Length);

        handle.Dispose();

        Assert.Equal(SequenceState.FinishedCancelled, (await ReadToEndAsync(handle)).End.State);
        harness.AssertNothingHeld();
    }

    [Fact]
    public async Task Wrong_use_is_named()
    {
        await using var harness = new LoopHarness();
        var generate = harness.Submit(Prompt(9));
        var remote = harness.Submit(Prompt(9), SequenceWork.GenerateFromRemoteKv);
        await NextAsync(remote);

        Assert.Contains("PrefillOnly", Assert.Throws<InvalidOperationException>(generate.Release).Message);
        Assert.Throws<InvalidOperationException>(() => generate.CompleteRemoteKv(3));
        Assert.Throws<ArgumentOutOfRangeException>(() => remote.CompleteRemoteKv(9));
        Assert.Throws<ArgumentOutOfRangeException>(() => remote.CompleteRemoteKv(-1));
    }

    private static void Carry(LoopHarness from, SequenceHandle sender, LoopHarness to, SequenceHandle receiver, int tokens)
    {
        var layout = from.Executor.KvLayout;
        for (var layer = 0; layer < layout.Layers; layer++)
        {
            for (var i = 0; i < layout.BlocksFor(tokens); i++)
            {
                var slots = Math.Min(layout.BlockSize, tokens - (i * layout.BlockSize));
                var bytes = new byte[slots * layout.BytesPerTokenPerLayer];
                from.Executor.ExportBlock(layer, sender.PromptBlocks.Span[i], slots, bytes);
                to.Executor.ImportBlock(layer, receiver.PromptBlocks.Span[i], slots, bytes);
            }
        }
    }
}
