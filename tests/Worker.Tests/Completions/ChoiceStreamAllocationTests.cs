using Microsoft.AspNetCore.Http;
using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;
using Serving.Engine.Scheduling;
using Serving.Worker.Completions;
using Serving.Worker.Loop;
using Serving.Worker.Models;
using Serving.Worker.Tests.HandOff;

namespace Serving.Worker.Tests.Completions;

public sealed class ChoiceStreamAllocationTests
{
    private const int AnswerTokens = 50;

    /// <summary>Twice what the text of one letter takes as a string; a message made for each token would be several times as much.</summary>
    private const int BytesPerTokenMax = 60;

    /// <summary>A worker's garbage is made here, token by token, and collecting it holds the engine up.</summary>
    [Fact]
    public async Task A_token_on_its_way_out_allocates_little_more_than_its_text()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        ModelRuntime model = worker.Models[0];
        CompletionRequest request = HandOffTests.Request(prefillAddress: null);
        await MeasureAsync(model, request);

        (long bytes, RequestError? error, long written) = await MeasureAsync(model, request);

        Assert.Null(error);
        Assert.True(written > AnswerTokens * 8, $"Only {written} bytes were written.");
        Assert.InRange(bytes, 0, AnswerTokens * BytesPerTokenMax);
    }

    /// <summary>Reads an answer that the engine has finished, so that nothing waits and all of it happens on this thread.</summary>
    private static async Task<(long Bytes, RequestError? Error, long Written)> MeasureAsync(ModelRuntime model, CompletionRequest request)
    {
        SequenceHandle sequence = model.Engine.Submit(new SequenceRequest
        {
            RequestId = "test",
            PromptTokens = request.Tokens.Ids.ToArray(),
            Work = SequenceWork.Generate,
            MaxTokens = AnswerTokens,
        }).Handle!;
        using ChoiceStream choice = new(model, request, sequence, choice: 0, startsInReasoning: false);
        await Loop.EngineLoopTests.WaitForAsync(() => sequence.Sequence.State == SequenceState.FinishedLength && model.Engine.Snapshot.Running == 0);
        DefaultHttpContext context = new();
        using MemoryStream body = new(AnswerTokens * 64);
        context.Response.Body = body;
        using CompletionEventWriter events = new(context.Response);
        events.Write(new CompletionEvent { Started = new CompletionStarted() });
        await events.FlushAsync(TestContext.Current.CancellationToken);
        await choice.BeginAsync(TestContext.Current.CancellationToken);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Task<RequestError?> running = choice.RunAsync(events, TestContext.Current.CancellationToken);
        long bytes = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.True(running.IsCompleted, "Something has waited.");
        return (bytes, await running, body.Length);
    }
}
