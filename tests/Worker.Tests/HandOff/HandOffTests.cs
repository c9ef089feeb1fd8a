using Microsoft.AspNetCore.Builder;
using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;

namespace Serving.Worker.Tests.HandOff;

/// <summary>Prefill and decode worker together, over real sockets.</summary>
public sealed class HandOffTests
{
    private static readonly int[] _prompt = [3, 1, 4, 1, 5, 9, 2, 6, 5];
    private const int AnswerTokens = 12;

    [Fact]
    public async Task The_prompt_is_computed_on_one_worker_and_the_answer_on_the_other()
    {
        await using WorkerUnderTest prefill = await WorkerUnderTest.StartAsync(WorkerRole.Prefill);
        await using WorkerUnderTest decode = await WorkerUnderTest.StartAsync(WorkerRole.Decode);

        Answer answer = await Answer.AskAsync(decode, Request(prefill.Address));

        Assert.Equal(await TokensAloneAsync(), answer.Tokens);
        Assert.Equal("prefill-peer", answer.Started.PrefillWorker);
        Assert.Equal(decode.State.Worker.Id, answer.Started.DecodeWorker);
        Assert.Equal(1, answer.Started.ComputedPromptTokens);
        Assert.Equal((_prompt.Length - 1) * decode.Executor.KvLayout.BytesPerToken, answer.Started.KvBytesReceived);
        Assert.Equal((FinishReason.Length, AnswerTokens), (answer.Finished.Reason, answer.Finished.CompletionTokens));
        Assert.Equal(_prompt.Length - 1, prefill.Engine.Snapshot.ComputedPromptTokens);
        await AssertNothingIsHeldAsync(prefill, decode);
    }

    [Fact]
    public async Task What_the_decode_worker_has_cached_does_not_cross()
    {
        await using WorkerUnderTest prefill = await WorkerUnderTest.StartAsync(WorkerRole.Prefill);
        await using WorkerUnderTest decode = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        int[] expected = await TokensAloneAsync();
        await Answer.AskAsync(decode, Request(prefill.Address));

        // The first block, of 4 tokens, is the same; the rest is more than a block.
        CompletionRequest longer = Request(prefill.Address);
        longer.Tokens.Ids[5] = 10;
        Answer partly = await Answer.AskAsync(decode, longer);
        Answer again = await Answer.AskAsync(decode, Request(prefill.Address));

        Assert.Equal((4, 1), (partly.Started.CachedTokens, partly.Started.ComputedPromptTokens));
        Assert.Equal((_prompt.Length - 1 - 4) * decode.Executor.KvLayout.BytesPerToken, partly.Started.KvBytesReceived);
        Assert.Equal(4, prefill.Engine.Snapshot.CachedPromptTokens);
        Assert.Equal((8, 1, "", 0L), (again.Started.CachedTokens, again.Started.ComputedPromptTokens, again.Started.PrefillWorker, again.Started.KvBytesReceived));
        Assert.Equal(expected, again.Tokens);
        longer.Prefill = null;
        longer.CacheSalt = "alone";
        Assert.Equal((await Answer.AskAsync(decode, longer)).Tokens, partly.Tokens);
        await AssertNothingIsHeldAsync(prefill, decode);
    }

    [Fact]
    public async Task One_connection_to_the_peer_is_enough()
    {
        await using WorkerUnderTest prefill = await WorkerUnderTest.StartAsync(WorkerRole.Prefill);
        await using WorkerUnderTest decode = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        for (int i = 0; i < 3; i++)
        {
            CompletionRequest request = Request(prefill.Address);
            request.CacheSalt = $"{i}";
            Assert.NotEqual("", (await Answer.AskAsync(decode, request)).Started.PrefillWorker);
        }

        Assert.Equal(1, prefill.Connections);
    }

    [Fact]
    public async Task A_model_with_windows_is_handed_over_whole_and_found_by_what_is_seen()
    {
        int[] windows = [0, 3];
        await using WorkerUnderTest prefill = await WorkerUnderTest.StartAsync(WorkerRole.Prefill, windows: windows);
        await using WorkerUnderTest decode = await WorkerUnderTest.StartAsync(WorkerRole.Decode, windows: windows);
        await using WorkerUnderTest alone = await WorkerUnderTest.StartAsync(WorkerRole.Decode, windows: windows);
        int[] expected = (await Answer.AskAsync(alone, Request(prefillAddress: null))).Tokens;
        CompletionRequest longer = Request(prefill.Address);
        longer.Tokens.Ids.AddRange([7, 7, 7, 7, 7]);
        CompletionRequest longerAlone = longer.Clone();
        longerAlone.Prefill = null;
        int[] expectedOfLonger = (await Answer.AskAsync(alone, longerAlone)).Tokens;

        Answer first = await Answer.AskAsync(decode, Request(prefill.Address));
        Answer second = await Answer.AskAsync(decode, longer);

        Assert.Equal(expected, first.Tokens);
        Assert.Equal(1, first.Started.ComputedPromptTokens);
        Assert.Equal((_prompt.Length - 1) * decode.Executor.KvLayout.BytesPerToken, first.Started.KvBytesReceived);
        Assert.Equal((8, 1), (second.Started.CachedTokens, second.Started.ComputedPromptTokens));
        Assert.Equal(5 * decode.Executor.KvLayout.BytesPerToken, second.Started.KvBytesReceived);
        Assert.Equal(expectedOfLonger, second.Tokens);
        await AssertNothingIsHeldAsync(prefill, decode);
    }

    [Fact]
    public async Task A_prefill_worker_with_another_kv_layout_is_not_believed()
    {
        await using WorkerUnderTest prefill = await WorkerUnderTest.StartAsync(WorkerRole.Prefill, kvFingerprint: "another");
        await AssertFallsBackAsync(prefill, prefill.Address);
    }

    [Fact]
    public async Task An_engine_that_fails_in_the_prompt_costs_the_hand_off_only()
    {
        await using WorkerUnderTest prefill = await WorkerUnderTest.StartAsync(WorkerRole.Prefill);
        prefill.Executor.OnStep = _ => throw new InvalidOperationException("broken on purpose");
        await AssertFallsBackAsync(prefill, prefill.Address);
    }

    [Fact]
    public async Task A_prefill_worker_that_is_gone_costs_the_hand_off_only()
    {
        WorkerUnderTest prefill = await WorkerUnderTest.StartAsync(WorkerRole.Prefill);
        string address = prefill.Address;
        await prefill.DisposeAsync();
        await AssertFallsBackAsync(prefill: null, address);
    }

    [Fact]
    public async Task A_prefill_worker_that_says_done_and_sends_nothing_costs_the_hand_off_only()
    {
        await using WebApplication peer = await LyingPeer.StartAsync();
        await AssertFallsBackAsync(prefill: null, peer.Urls.Single());
    }

    [Fact]
    public async Task A_client_that_goes_away_during_prefill_frees_both_workers()
    {
        await using WorkerUnderTest prefill = await WorkerUnderTest.StartAsync(WorkerRole.Prefill);
        await using WorkerUnderTest decode = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        using ManualResetEventSlim inStep = new();
        using ManualResetEventSlim goOn = new();
        prefill.Executor.OnStep = _ =>
        {
            inStep.Set();
            goOn.Wait(TestContext.Current.CancellationToken);
        };
        using CancellationTokenSource hangUp = new();

        Task<Answer> answer = Answer.AskAsync(decode, Request(prefill.Address), hangUp.Token);
        inStep.Wait(TestContext.Current.CancellationToken);
        Assert.True(decode.Engine.Snapshot.KvBlocksUsed > 0, "the decode worker reserves blocks before it asks");
        await hangUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);

        // The decode worker hears of it a moment later, and waits for nobody; the prefill worker's step ends first.
        await AssertNothingIsHeldAsync(decode);
        goOn.Set();
        await AssertNothingIsHeldAsync(prefill);
        Assert.Equal(0, decode.Engine.Snapshot.GeneratedTokens);
    }

    [Fact]
    public async Task A_deadline_ends_a_hand_off_that_is_not_done()
    {
        await using WorkerUnderTest prefill = await WorkerUnderTest.StartAsync(WorkerRole.Prefill);
        await using WorkerUnderTest decode = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        using ManualResetEventSlim goOn = new();
        prefill.Executor.OnStep = _ => goOn.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        CompletionRequest request = Request(prefill.Address);
        request.TimeoutMs = 100;

        Answer answer = await Answer.AskAsync(decode, request, TestContext.Current.CancellationToken);

        Assert.Equal((504, "deadline_exceeded"), (answer.Status, answer.Error?.Code));
        Assert.Equal(0, prefill.Engine.Snapshot.ComputedPromptTokens);
        await AssertNothingIsHeldAsync(decode);
        goOn.Set();
        await AssertNothingIsHeldAsync(prefill);
    }

    [Fact]
    public async Task A_worker_says_where_its_memory_goes()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        WorkerMemory memory = worker.State.Memory;

        Assert.Equal((5, 4, 3, 2), (memory.KvBytes, memory.OwnWeightBytes, memory.MappedWeightBytes, memory.ScratchBytes));
        Assert.InRange(memory.ResidentFileBytes, 0, memory.ResidentBytes);
        Assert.InRange(memory.ManagedBytes, 1, memory.ResidentBytes);
    }

    [Fact]
    public async Task A_prompt_of_one_token_needs_no_hand_off()
    {
        await using WorkerUnderTest decode = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        CompletionRequest request = Request("http://127.0.0.1:1");
        request.Tokens.Ids.Clear();
        request.Tokens.Ids.Add(7);

        Answer answer = await Answer.AskAsync(decode, request);

        Assert.Equal(("", 1), (answer.Started.PrefillWorker, answer.Started.ComputedPromptTokens));
        Assert.Equal(AnswerTokens, answer.Tokens.Length);
    }

    [Fact]
    public async Task Strangers_are_refused_on_every_route()
    {
        await using WorkerUnderTest decode = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        using HttpClient stranger = new() { BaseAddress = new Uri(decode.Address), DefaultRequestVersion = new Version(2, 0), DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        foreach (string route in new[] { InternalApi.StateRoute, InternalApi.CompletionsRoute, InternalApi.TokenizeRoute, InternalApi.DetokenizeRoute, "/", "/serving.v1.PrefillService/Prefill" })
        {
            using HttpResponseMessage response = await stranger.PostAsync(route, content: null, TestContext.Current.CancellationToken);
            Assert.Equal(System.Net.HttpStatusCode.Unauthorized, response.StatusCode);
        }
    }

    internal static CompletionRequest Request(string? prefillAddress)
    {
        CompletionRequest request = new()
        {
            RequestId = "test",
            Model = WorkerUnderTest.ModelName,
            Tokens = new TokenPrompt(),
            Sampling = new SamplingParameters { Temperature = 0 },
            Stop = new StopConditions { MaxTokens = AnswerTokens },
            Prefill = prefillAddress is null ? null : new PrefillPeer { WorkerId = "prefill-peer", Address = prefillAddress },
        };
        request.Tokens.Ids.AddRange(_prompt);
        return request;
    }

    private static async Task<int[]> TokensAloneAsync()
    {
        await using WorkerUnderTest alone = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        Answer answer = await Answer.AskAsync(alone, Request(prefillAddress: null));
        Assert.Equal(AnswerTokens, answer.Tokens.Length);
        return answer.Tokens;
    }

    private static async Task AssertFallsBackAsync(WorkerUnderTest? prefill, string prefillAddress)
    {
        await using WorkerUnderTest decode = await WorkerUnderTest.StartAsync(WorkerRole.Decode);

        Answer answer = await Answer.AskAsync(decode, Request(prefillAddress));

        Assert.Equal(await TokensAloneAsync(), answer.Tokens);
        Assert.Equal(("", 0L), (answer.Started.PrefillWorker, answer.Started.KvBytesReceived));
        Assert.Equal(_prompt.Length, answer.Started.ComputedPromptTokens);
        await AssertNothingIsHeldAsync(prefill is null ? [decode] : [prefill, decode]);
    }

    private static Task AssertNothingIsHeldAsync(params WorkerUnderTest[] workers) => Task.WhenAll(workers.Select(worker => worker.WaitUntilNothingIsHeldAsync()));
}
