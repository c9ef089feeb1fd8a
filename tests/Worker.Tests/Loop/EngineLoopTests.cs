using Microsoft.Extensions.Time.Testing;
using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;
using Serving.Worker.Loop;
using static Serving.Worker.Tests.Loop.LoopHarness;

namespace Serving.Worker.Tests.Loop;

public sealed class EngineLoopTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Ten_answers_at_once_are_those_of_each_alone(int threads)
    {
        await using var harness = new LoopHarness(blocks: 24, threads: threads);
        var handles = Enumerable.Range(0, 10).Select(i => harness.Submit(
            Prompt(5 + i, i), maxTokens: 20, sampling: SamplingOf(i))).ToArray();

        var answers = await Task.WhenAll(handles.Select(ReadToEndAsync));

        for (var i = 0; i < answers.Length; i++)
        {
            var expected = harness.Executor.Expect(Prompt(5 + i, i), 20, handles[i].Sequence.Sampling);
            Assert.Equal(expected, answers[i].Tokens);
            Assert.Equal(SequenceState.FinishedLength, answers[i].End.State);
        }

        harness.AssertNothingHeld();
        Assert.Equal(200, harness.Loop.Snapshot.GeneratedTokens);
    }

    [Fact]
    public async Task An_end_token_is_output_and_ends_the_answer()
    {
        await using var harness = new LoopHarness();
        var expected = harness.Executor.Expect(Prompt(5), 6, SamplingParameters.Greedy);

        var handle = harness.Loop.Submit(Request(Prompt(5)) with { EndTokens = new[] { expected[2] } }).Handle!;
        var (tokens, end) = await ReadToEndAsync(handle);

        Assert.Equal(SequenceState.FinishedStop, end.State);
        Assert.Equal(expected.Take(expected.ToList().IndexOf(expected[2]) + 1), tokens);
        await handle.Outputs.Completion.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.False(await handle.Outputs.WaitToReadAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_full_queue_refuses_and_takes_more_once_there_is_room()
    {
        using var gate = new ManualResetEventSlim();
        await using var harness = new LoopHarness(waitingMax: 2, runningMax: 1, onStep: _ => gate.Wait(Patience));
        var running = harness.Submit(Prompt(3));
        await WaitForAsync(() => harness.Executor.Steps == 1);
        var waiting = new[] { harness.Submit(Prompt(3, 1)), harness.Submit(Prompt(3, 2)) };

        var refused = harness.Loop.Submit(Request(Prompt(3, 3)));
        Assert.Equal(RefusalReason.QueueFull, refused.Refusal?.Reason);
        Assert.Equal(2, harness.Loop.Snapshot.Waiting);

        gate.Set();
        await Task.WhenAll(waiting.Append(running).Select(ReadToEndAsync));
        await ReadToEndAsync(harness.Submit(Prompt(3, 3)));
        harness.AssertNothingHeld();
    }

    [Fact]
    public async Task A_tenant_s_full_queue_refuses_him_and_nobody_else()
    {
        using var gate = new ManualResetEventSlim();
        await using var harness = new LoopHarness(waitingMax: 4, waitingPerTenantMax: 2, runningMax: 1, onStep: _ => gate.Wait(Patience));
        var running = harness.Submit(Prompt(3));
        await WaitForAsync(() => harness.Executor.Steps == 1);
        var taken = Enumerable.Range(0, 2).Select(i => harness.Loop.Submit(Request(Prompt(3, i)) with { Tenant = "a" }).Handle!).ToList();

        Assert.Equal(RefusalReason.TenantQueueFull, harness.Loop.Submit(Request(Prompt(3)) with { Tenant = "a" }).Refusal?.Reason);
        taken.Add(harness.Loop.Submit(Request(Prompt(3)) with { Tenant = "b" }).Handle!);
        taken.Add(harness.Submit(Prompt(3)));

        gate.Set();
        await Task.WhenAll(taken.Append(running).Select(ReadToEndAsync));
        await ReadToEndAsync(harness.Loop.Submit(Request(Prompt(3)) with { Tenant = "a" }).Handle!);
        harness.AssertNothingHeld();
    }

    [Fact]
    public async Task Another_answer_must_be_to_the_same_prompt()
    {
        using var gate = new ManualResetEventSlim();
        await using var harness = new LoopHarness(onStep: _ => gate.Wait(Patience));
        var first = harness.Submit(Prompt(9), sampling: SamplingOf(1));
        var second = harness.Loop.Submit(Request(Prompt(9), sampling: SamplingOf(3)) with { ForkOf = first }).Handle!;

        Assert.Throws<ArgumentException>(() => harness.Loop.Submit(Request(Prompt(9, 1)) with { ForkOf = first }));
        Assert.Throws<ArgumentException>(() => harness.Loop.Submit(Request(Prompt(9)) with { ForkOf = first, CacheSalt = "another" }));

        gate.Set();
        Assert.Equal(harness.Executor.Expect(Prompt(9), 8, SamplingOf(1)), (await ReadToEndAsync(first)).Tokens);
        Assert.Equal(harness.Executor.Expect(Prompt(9), 8, SamplingOf(3)), (await ReadToEndAsync(second)).Tokens);
        Assert.Equal((8, 10), (second.CachedTokens, harness.Loop.Snapshot.ComputedPromptTokens));
        harness.AssertNothingHeld();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_deadline_ends_a_sequence_also_where_nothing_else_happens(bool isRunning)
    {
        var time = new FakeTimeProvider();
        await using var harness = new LoopHarness(blocks: 4, contextLength: 16, time: time);
        var holder = harness.Submit(Prompt(12), SequenceWork.GenerateFromRemoteKv, maxTokens: 2);
        await NextAsync(holder);
        var request = Request(Prompt(isRunning ? 3 : 9, 1), maxTokens: 12) with { Timeout = TimeSpan.FromMilliseconds(50) };

        // One block is left: what runs gets stuck at its end, what is longer waits.
        var handle = harness.Loop.Submit(request).Handle!;
        await WaitForAsync(() => isRunning ? harness.Loop.Snapshot.GeneratedTokens == 2 : harness.Loop.Snapshot is { Waiting: 1, Running: 0 });
        time.Advance(request.Timeout!.Value);
        var (tokens, end) = await ReadToEndAsync(handle);

        Assert.Equal((SequenceState.FinishedDeadline, isRunning ? 2 : 0), (end.State, tokens.Length));
        holder.FailRemoteKv();
        await ReadToEndAsync(holder);
        harness.AssertNothingHeld();
    }

    [Fact]
    public async Task A_prompt_that_can_never_fit_is_refused_and_holds_nothing()
    {
        await using var harness = new LoopHarness(blocks: 4, waitingMax: 1);

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(RefusalReason.PoolTooSmall, harness.Loop.Submit(Request(Prompt(16))).Refusal?.Reason);
            Assert.Equal(RefusalReason.ContextExceeded, harness.Loop.Submit(Request(Prompt(64))).Refusal?.Reason);
            Assert.Equal(RefusalReason.UnknownToken, harness.Loop.Submit(Request([32])).Refusal?.Reason);
        }

        await ReadToEndAsync(harness.Submit(Prompt(4), maxTokens: 2));
    }

    [Fact]
    public async Task A_cancel_ends_a_running_sequence_within_one_step()
    {
        using var stepEntered = new SemaphoreSlim(0);
        using var stepMayRun = new SemaphoreSlim(0);
        await using var harness = new LoopHarness(onStep: _ =>
        {
            stepEntered.Release();
            stepMayRun.Wait(Patience);
        });
        var handle = harness.Submit(Prompt(3), maxTokens: 50);
        Assert.True(await stepEntered.WaitAsync(Patience, TestContext.Current.CancellationToken));

        handle.Cancel();
        stepMayRun.Release();
        var (tokens, end) = await ReadToEndAsync(handle);

        Assert.Single(tokens);
        Assert.Equal(SequenceState.FinishedCancelled, end.State);
        Assert.Equal(1, harness.Executor.Steps);
        harness.AssertNothingHeld();
    }

    [Fact]
    public async Task A_cancel_ends_a_waiting_sequence()
    {
        using var gate = new ManualResetEventSlim();
        await using var harness = new LoopHarness(runningMax: 1, onStep: _ => gate.Wait(Patience));
        var first = harness.Submit(Prompt(3));
        var second = harness.Submit(Prompt(3, 1));

        second.Dispose();
        gate.Set();

        var (tokens, end) = await ReadToEndAsync(second);
        Assert.Equal((0, SequenceState.FinishedCancelled), (tokens.Length, end.State));
        await ReadToEndAsync(first);
        harness.AssertNothingHeld();
    }

    [Fact]
    public async Task A_slow_reader_holds_up_nobody_and_loses_nothing()
    {
        await using var harness = new LoopHarness();
        var slow = harness.Submit(Prompt(4), maxTokens: 50);
        var quick = harness.Submit(Prompt(6, 1), maxTokens: 50);

        await ReadToEndAsync(quick);
        await WaitForAsync(() => harness.Loop.Snapshot.Running == 0);
        harness.AssertNothingHeld();

        var (tokens, _) = await ReadToEndAsync(slow);
        Assert.Equal(harness.Executor.Expect(Prompt(4), 50, SamplingParameters.Greedy), tokens);
    }

    [Fact]
    public async Task A_reader_can_give_up_waiting_and_come_back()
    {
        using var gate = new ManualResetEventSlim();
        await using var harness = new LoopHarness(onStep: _ => gate.Wait(Patience));
        var handle = harness.Submit(Prompt(4), maxTokens: 3);
        using var cancellation = new CancellationTokenSource();

        var wait = handle.Outputs.WaitToReadAsync(cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait.WaitAsync(Patience, TestContext.Current.CancellationToken));

        gate.Set();
        Assert.Equal(3, (await ReadToEndAsync(handle)).Tokens.Length);
    }

    [Fact]
    public async Task Timings_and_load_are_told()
    {
        await using var harness = new LoopHarness();
        var changes = 0;
        harness.Loop.LoadChanged += () => Interlocked.Increment(ref changes);

        var handle = harness.Submit(Prompt(20), maxTokens: 4);
        await ReadToEndAsync(handle);

        var timings = handle.Timings;
        Assert.True(timings.Queue > TimeSpan.Zero && timings.Prefill > TimeSpan.Zero);
        Assert.InRange(timings.TimeToFirstToken, timings.Queue, timings.Total);
        Assert.Equal(TimeSpan.Zero, timings.RemoteKv);
        Assert.Equal(20, handle.ComputedPromptTokens);
        Assert.Equal(20, harness.Loop.Snapshot.ComputedPromptTokens);
        await WaitForAsync(() => Volatile.Read(ref changes) >= 2);
    }

    [Fact]
    public async Task Stopping_lets_sequences_end_and_takes_no_more()
    {
        using var gate = new ManualResetEventSlim();
        await using var harness = new LoopHarness(onStep: _ => gate.Wait(Patience));
        var handle = harness.Submit(Prompt(4), maxTokens: 10);

        var stop = harness.Loop.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(RefusalReason.Stopping, harness.Loop.Submit(Request(Prompt(4))).Refusal?.Reason);
        gate.Set();
        await stop.WaitAsync(Patience, TestContext.Current.CancellationToken);

        Assert.Equal(10, (await ReadToEndAsync(handle)).Tokens.Length);
        harness.AssertNothingHeld();
    }

    [Fact]
    public async Task Stopping_is_cut_short_by_its_token()
    {
        await using var harness = new LoopHarness();
        var held = harness.Submit(Prompt(4), SequenceWork.GenerateFromRemoteKv);
        await NextAsync(held);
        using var abort = new CancellationTokenSource();

        var stop = harness.Loop.StopAsync(abort.Token);
        await abort.CancelAsync();
        await stop.WaitAsync(Patience, TestContext.Current.CancellationToken);

        var (_, end) = await ReadToEndAsync(held);
        Assert.Equal((SequenceOutputKind.Failed, "The engine is stopping."), (end.Kind, end.Error));
        harness.AssertNothingHeld();
    }

    internal static async Task WaitForAsync(Func<bool> condition)
    {
        for (var start = TimeProvider.System.GetTimestamp(); !condition(); await Task.Yield())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience, "The engine did not get there.");
        }
    }
}
