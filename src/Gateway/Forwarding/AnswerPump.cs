using System.Buffers;
using System.Runtime.CompilerServices;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;

namespace Serving.Gateway.Forwarding;

/// <summary>Takes a call's events one by one and renders them. Keeps the call's outcome.</summary>
internal sealed class AnswerPump(CompletionCall call, IAnswerEvents events, TimeProvider time)
{
    /// <summary>After its last event a worker only closes the stream; one that does not is cut off.</summary>
    private static readonly TimeSpan _closingTimeMax = TimeSpan.FromSeconds(1);

    private int _finishedChoices;
    private int _completionTokens;

    /// <summary>Renders the next event. What it writes may be empty.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask StepAsync(IBufferWriter<byte> output, CancellationToken cancellationToken)
    {
        var (prompt, next, failure) = await events.ReadAsync(cancellationToken);
        switch (next?.EventCase)
        {
            case CompletionEvent.EventOneofCase.Started:
                call.Renderer.Started(prompt, next.Started, output);
                break;
            case CompletionEvent.EventOneofCase.Tokens when IsChoice(next.Tokens.Choice):
                next.Tokens.Choice += prompt * call.Profile.Choices;
                call.Renderer.Tokens(next.Tokens, output);
                break;
            case CompletionEvent.EventOneofCase.Finished when next.Finished.Reason != FinishReason.Unspecified && IsChoice(next.Finished.Choice):
                next.Finished.Choice += prompt * call.Profile.Choices;
                await FinishAsync(next.Finished, output, cancellationToken);
                break;
            case CompletionEvent.EventOneofCase.Error:
                Fail(ApiError.Of(next.Error), output);
                break;
            default:
                var worker = call.Legs[prompt].Placement.Decode.Id;
                Fail(failure ?? ApiError.WorkerLost($"The decode worker {worker} was lost in the middle of the answer."), output);
                break;
        }
    }

    /// <summary>Renders everything that comes, and ends the call's streams.</summary>
    public async Task CollectAsync(IBufferWriter<byte> output, CancellationToken cancellationToken)
    {
        while (!call.IsOver)
        {
            await StepAsync(output, cancellationToken);
        }

        if (call.Failure is null)
        {
            await CloseAsync(cancellationToken);
        }
    }

    /// <summary>Lets the workers close the streams themselves: cutting them off would look like a client that went away.</summary>
    public async ValueTask CloseAsync(CancellationToken cancellationToken)
    {
        try
        {
            await events.CloseAsync(cancellationToken).WaitAsync(_closingTimeMax, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The answer is complete; how the connection ends no longer matters.
        }
    }

    private bool IsChoice(int choice) => (uint)choice < (uint)call.Profile.Choices;

    private async ValueTask FinishAsync(CompletionFinished finished, IBufferWriter<byte> output, CancellationToken cancellationToken)
    {
        call.Renderer.Finished(finished, output);
        _completionTokens += finished.CompletionTokens + finished.DiscardedTokens;
        if (++_finishedChoices == call.Choices)
        {
            // Whoever has seen an answer's end finds it stored.
            if (call.Renderer is IAnswerKeeper keeper && await keeper.KeepAsync(cancellationToken) is { } error)
            {
                Fail(error, output);
                return;
            }

            call.CompletionTokens = _completionTokens;
            call.Renderer.Completed(output);
        }
    }

    private void Fail(ApiError error, IBufferWriter<byte> output)
    {
        call.Failure = error;
        call.Renderer.Failed(error, output);
    }
}
