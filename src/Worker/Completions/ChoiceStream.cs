using System.Runtime.CompilerServices;
using Serving.Contracts.Internal;
using Serving.Engine.Scheduling;
using Serving.Worker.Loop;
using Serving.Worker.Models;

namespace Serving.Worker.Completions;

/// <summary>One answer of a request: a sequence's tokens as events with text. Owns the sequence.</summary>
/// <param name="startsInReasoning">The prompt has opened the model's thinking.</param>
internal sealed class ChoiceStream(ModelRuntime model, CompletionRequest request, SequenceHandle sequence, int choice, bool startsInReasoning) : IDisposable
{
    private readonly ReadOnlyMemory<int> _endTokens = RequestParameters.EndTokens(request, model);
    private readonly AnswerParts _parts = AnswerParts.Of(model, request, startsInReasoning);

    // Written once a token, so they are used again: tokens are what a worker would collect garbage for.
    private readonly TokenChunk _chunk = new() { Choice = choice };
    private readonly CompletionEvent _chunkEvent = new();
    private SequenceOutput _next;
    private RequestError? _error;
    private int _tokens;
    private int _reportedTokens;
    private double _logprobSum;
    private int _endToken = -1;

    public SequenceHandle Sequence => sequence;

    /// <summary>How likely the model finds the answer by the token, once it has ended: the mean of the log probabilities.</summary>
    public double MeanLogprob => _logprobSum / Math.Max(1, _tokens);

    /// <summary>Waits for the first token.</summary>
    /// <returns>The error in which the sequence ended instead.</returns>
    public async ValueTask<RequestError?> BeginAsync(CancellationToken cancellation)
    {
        _next = await sequence.Outputs.ReadAsync(cancellation);
        return ErrorOf(_next);
    }

    /// <summary>Writes everything up to the end.</summary>
    /// <returns>The error that is still to be sent, or null.</returns>
    public async Task<RequestError?> RunAsync(ICompletionEvents events, CancellationToken cancellation)
    {
        bool hasMore = true;
        for (bool hasNext = true; hasNext; hasNext = hasMore && await WaitAsync(cancellation))
        {
            await events.EnterAsync(cancellation);
            try
            {
                do
                {
                    hasMore = Write(_next, events);
                }
                while (hasMore && sequence.Outputs.TryRead(out _next));

                // One send for all tokens that were there: a client that reads slowly gets larger pieces, not a longer queue.
                await events.FlushAsync(cancellation);
            }
            finally
            {
                events.Leave();
            }
        }

        return hasMore ? RequestErrors.Failed("the engine ended the sequence without saying how") : _error;
    }

    public void Dispose() => sequence.Dispose();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> WaitAsync(CancellationToken cancellation) =>
        await sequence.Outputs.WaitToReadAsync(cancellation) && sequence.Outputs.TryRead(out _next);

    /// <returns>Whether more follows.</returns>
    private bool Write(in SequenceOutput output, ICompletionEvents events)
    {
        _error = ErrorOf(output);
        if (_error is not null)
        {
            return false;
        }

        if (output.Kind == SequenceOutputKind.Finished)
        {
            WriteEnd(output.State == SequenceState.FinishedLength ? FinishReason.Length : FinishReason.Stop, events);
            return false;
        }

        if (RequestParameters.IsPromptOnly(request))
        {
            // The engine gives one token at least; nobody is told of it.
            sequence.Cancel();
            WriteEnd(FinishReason.Length, events);
            return false;
        }

        WriteToken(output, events);
        if (!_parts.IsOver)
        {
            return true;
        }

        sequence.Cancel();
        WriteEnd(FinishReason.Stop, events);
        return false;
    }

    private void WriteToken(in SequenceOutput output, ICompletionEvents events)
    {
        _tokens++;
        _logprobSum += sequence.Logprobs is { } logprobs ? logprobs[output.Position][0].Logprob : 0;
        Clear();
        _chunk.Position = output.Position;
        _chunk.Ids.Add(output.TokenId);
        if (_endTokens.Span.Contains(output.TokenId))
        {
            _endToken = output.TokenId;
        }
        else
        {
            _parts.Append(output.TokenId, _chunk);
        }

        Report();
        WriteChunk(events);
    }

    private void WriteEnd(FinishReason reason, ICompletionEvents events)
    {
        Clear();
        _parts.Finish(_chunk);
        Report();
        if (AnswerParts.IsAnyIn(_chunk) || _chunk.Logprobs.Count > 0)
        {
            WriteChunk(events);
        }

        // The last of the text may complete a stop sequence.
        CompletionFinished finished = new()
        {
            Choice = choice,
            Reason = _parts.StopSequence is not null ? FinishReason.Stop : reason == FinishReason.Stop && _parts.HasCalls ? FinishReason.ToolCalls : reason,
            CompletionTokens = _tokens,
            ReasoningTokens = _parts.ReasoningTokens,
            Timings = Timings(sequence.Timings),
        };
        if (_parts.StopSequence is { } stop)
        {
            finished.StopSequence = stop;
        }
        else if (request.Stop.TokenIds.Contains(_endToken))
        {
            finished.StopToken = _endToken;
        }

        events.Write(new CompletionEvent { Finished = finished });
    }

    private void Clear()
    {
        _chunk.Position = 0;
        _chunk.Ids.Clear();
        _chunk.Text = "";
        _chunk.Reasoning = "";
        _chunk.ToolCalls.Clear();
        _chunk.Logprobs.Clear();
    }

    private void WriteChunk(ICompletionEvents events)
    {
        _chunkEvent.Tokens = _chunk;
        events.Write(_chunkEvent);
    }

    /// <summary>Adds to the chunk the log probabilities of the tokens that the client has got to see since the last time.</summary>
    private void Report()
    {
        if (!request.Sampling.HasLogprobs)
        {
            return;
        }

        for (; _reportedTokens < _parts.SentTokens; _reportedTokens++)
        {
            _chunk.Logprobs.Add(AnswerProbabilities.Of(sequence.Logprobs![_reportedTokens], model.Tokenizer));
        }
    }

    private RequestError? ErrorOf(in SequenceOutput output) => output.Kind switch
    {
        SequenceOutputKind.Failed => RequestErrors.Failed(output.Error ?? "the engine gave no reason"),
        SequenceOutputKind.Finished when output.State == SequenceState.FinishedDeadline =>
            RequestErrors.DeadlineExceeded(request.TimeoutMs, _tokens),
        _ => null,
    };

    private static CompletionTimings Timings(in SequenceTimings timings) => new()
    {
        QueueUs = (long)timings.Queue.TotalMicroseconds,
        PrefillUs = (long)timings.Prefill.TotalMicroseconds,
        KvTransferUs = (long)timings.RemoteKv.TotalMicroseconds,
        TimeToFirstTokenUs = (long)timings.TimeToFirstToken.TotalMicroseconds,
        TotalUs = (long)timings.Total.TotalMicroseconds,
    };
}
