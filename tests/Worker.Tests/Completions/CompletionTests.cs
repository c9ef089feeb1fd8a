using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;
using Serving.Engine.Formats;
using Serving.Worker.Tests.HandOff;

namespace Serving.Worker.Tests.Completions;

public sealed class CompletionTests
{
    [Fact]
    public async Task An_answer_ends_before_its_stop_sequence()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        string whole = (await Answer.AskAsync(worker, HandOffTests.Request(prefillAddress: null))).Text;
        string stop = whole[4..6];
        CompletionRequest request = HandOffTests.Request(prefillAddress: null);
        request.Stop.Sequences.Add(stop);

        Answer answer = await Answer.AskAsync(worker, request);

        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], answer.Text);
        Assert.Equal(FinishReason.Stop, answer.Finished.Reason);
    }

    [Fact]
    public async Task The_first_event_says_how_the_prompt_was_computed_and_the_last_how_it_ended()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        CompletionRequest request = HandOffTests.Request(prefillAddress: null);
        request.Sampling.Seed = 42;

        Answer answer = await Answer.AskAsync(worker, request);

        Assert.Equal(CompletionEvent.EventOneofCase.Started, answer.Events[0].EventCase);
        Assert.Equal((request.Tokens.Ids.Count, 42), (answer.Started.PromptTokens, answer.Started.Seed));
        Assert.Equal(CompletionEvent.EventOneofCase.Finished, answer.Events[^1].EventCase);
        Assert.Equal(Enumerable.Range(0, answer.Tokens.Length), answer.Events.Where(message => message.Tokens is not null).Select(message => message.Tokens.Position));
    }

    [Fact]
    public async Task What_a_request_leaves_out_is_what_the_model_s_makers_recommend()
    {
        await using WorkerUnderTest plain = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        await using WorkerUnderTest recommended = await WorkerUnderTest.StartAsync(
            WorkerRole.Decode, samplingDefaults: new SamplingDefaults { Temperature = 0, TopP = 0.5f });
        CompletionRequest silent = HandOffTests.Request(prefillAddress: null);
        silent.Sampling = new SamplingParameters { Seed = 7 };
        CompletionRequest explicitly = HandOffTests.Request(prefillAddress: null);
        explicitly.Sampling = new SamplingParameters { Seed = 7, Temperature = 1, TopP = 1 };
        CompletionRequest greedy = HandOffTests.Request(prefillAddress: null);

        Assert.Equal((await Answer.AskAsync(plain, explicitly)).Tokens, (await Answer.AskAsync(plain, silent)).Tokens);
        Assert.Equal((await Answer.AskAsync(plain, greedy)).Tokens, (await Answer.AskAsync(recommended, silent)).Tokens);
        Assert.NotEqual((await Answer.AskAsync(plain, greedy)).Tokens, (await Answer.AskAsync(plain, silent)).Tokens);
    }

    [Fact]
    public async Task A_prompt_that_fills_the_context_is_the_clients_mistake()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        CompletionRequest request = HandOffTests.Request(prefillAddress: null);
        request.Tokens.Ids.AddRange(Enumerable.Repeat(1, worker.Executor.Model.ContextLength));

        Answer answer = await Answer.AskAsync(worker, request);

        Assert.Equal((400, Fault.Client, "context_length_exceeded"), (answer.Status, answer.Error!.Fault, answer.Error.Code));
        Assert.Contains($"{worker.Executor.Model.ContextLength}", answer.Error.Message);
    }

    [Fact]
    public async Task A_request_that_takes_too_long_is_an_error_that_names_the_limit()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        using ManualResetEventSlim late = new();
        worker.Executor.OnStep = _ => late.Wait(TimeSpan.FromMilliseconds(30), TestContext.Current.CancellationToken);
        CompletionRequest request = HandOffTests.Request(prefillAddress: null);
        request.TimeoutMs = 10;

        Answer answer = await Answer.AskAsync(worker, request);

        RequestError error = answer.Error ?? answer.Events[^1].Error;
        Assert.Equal((504, "deadline_exceeded"), (error.Status, error.Code));
        Assert.Contains("10 ms", error.Message);
        await worker.WaitUntilNothingIsHeldAsync();
    }

    [Fact]
    public async Task A_model_that_is_not_loaded_is_refused_with_those_that_are()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        CompletionRequest request = HandOffTests.Request(prefillAddress: null);
        request.Model = "another";

        Answer answer = await Answer.AskAsync(worker, request);

        Assert.Equal((503, Fault.Gateway), (answer.Status, answer.Error!.Fault));
        Assert.Contains(WorkerUnderTest.ModelName, answer.Error.Message);
    }

    [Fact]
    public async Task An_engine_that_fails_before_the_first_token_is_an_error_with_a_status()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        worker.Executor.OnStep = _ => throw new InvalidOperationException("broken on purpose");

        Answer answer = await Answer.AskAsync(worker, HandOffTests.Request(prefillAddress: null));

        Assert.Equal((500, Fault.Worker), (answer.Status, answer.Error!.Fault));
        await worker.WaitUntilNothingIsHeldAsync();
    }

    [Fact]
    public async Task An_engine_that_fails_in_the_answer_ends_the_stream_with_an_error_event()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        worker.Executor.OnStep = plan =>
        {
            if (plan.Sequences[0].ComputedTokens > 10)
            {
                throw new InvalidOperationException("broken on purpose");
            }
        };

        Answer answer = await Answer.AskAsync(worker, HandOffTests.Request(prefillAddress: null));

        Assert.Equal((200, CompletionEvent.EventOneofCase.Error), (answer.Status, answer.Events[^1].EventCase));
    }
}
