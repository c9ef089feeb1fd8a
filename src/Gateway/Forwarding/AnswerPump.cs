using System.Buffers;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;

namespace Serving.Gateway.Forwarding;

/// <summary>Takes a worker's events one by one and renders them. Keeps the call's outcome.</summary>
internal sealed class AnswerPump(CompletionCall call, WorkerAnswer answer, TimeProvider time)
{
    /// <summary>After its last event a worker only closes the stream; one that does not is cut off.</summary>
    private static readonly TimeSpan _closingTimeMax = TimeSpan.FromSeconds(1);

    private bool _started;
    private int _finishedChoices;
    private int _completionTokens;

    /// <summary>True once the last event, or the failure instead of it, has been rendered.</summary>
    public bool IsOver => call.CompletionTokens is not null || call.Failure is not null;

    /// <summary>Renders the next event. What it writes may be empty.</summary>
    public async ValueTask StepAsync(IBufferWriter<byte> output, CancellationToken cancellationToken)
    {
        if (!_started)
        {
            _started = true;
            call.Renderer.Started(answer.Started, output);
            return;
        }

        var next = await ReadAsync(cancellationToken);
        switch (next?.EventCase)
        {
            case CompletionEvent.EventOneofCase.Tokens when IsChoice(next.Tokens.Choice):
                call.Renderer.Tokens(next.Tokens, output);
                break;
            case CompletionEvent.EventOneofCase.Finished when next.Finished.Reason != FinishReason.Unspecified && IsChoice(next.Finished.Choice):
                Finish(next.Finished, output);
                break;
            case CompletionEvent.EventOneofCase.Error:
                Fail(ApiError.Of(next.Error), output);
                break;
            default:
                Fail(ApiError.WorkerLost($"The decode worker {call.Placement.Decode.Id} was lost in the middle of the answer."), output);
                break;
        }
    }

    /// <summary>Lets the worker close the stream itself: cutting it off would look like a client that went away.</summary>
    public async ValueTask CloseAsync(CancellationToken cancellationToken)
    {
        try
        {
            await answer.Events.ReadAsync(cancellationToken).AsTask().WaitAsync(_closingTimeMax, time, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or IOException or HttpRequestException or InvalidDataException)
        {
            // The answer is complete; how the connection ends no longer matters.
        }
    }

    /// <summary>Null when the connection ends or fails.</summary>
    private async ValueTask<CompletionEvent?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await answer.Events.ReadAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException or InvalidDataException)
        {
            return null;
        }
    }

    private bool IsChoice(int choice) => (uint)choice < (uint)call.Profile.Choices;

    private void Finish(CompletionFinished finished, IBufferWriter<byte> output)
    {
        call.Renderer.Finished(finished, output);
        _completionTokens += finished.CompletionTokens + finished.DiscardedTokens;
        if (++_finishedChoices == call.Profile.Choices)
        {
            call.CompletionTokens = _completionTokens;
            call.Renderer.Completed(_completionTokens, output);
        }
    }

    private void Fail(ApiError error, IBufferWriter<byte> output)
    {
        call.Failure = error;
        call.Renderer.Failed(error, output);
    }
}
