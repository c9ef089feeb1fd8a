using Serving.Contracts.Internal;
using Serving.Worker.Loop;
using Serving.Worker.Models;

namespace Serving.Worker.Completions;

/// <summary>
/// The answers of one request, each a sequence of its own with the same prompt. The first one's prompt is computed, or comes from elsewhere, and the others fork from it.
/// </summary>
/// <param name="startsInReasoning">The prompt has opened the model's thinking.</param>
internal sealed class ChoiceStreams(ModelRuntime model, CompletionRequest request, bool startsInReasoning) : IDisposable
{
    private readonly List<ChoiceStream> _choices = [];

    public void Add(SequenceHandle sequence) => _choices.Add(new ChoiceStream(model, request, sequence, _choices.Count, startsInReasoning));

    /// <summary>Waits for the first answer's first token.</summary>
    public ValueTask<RequestError?> BeginAsync(CancellationToken cancellation) => _choices[0].BeginAsync(cancellation);

    /// <summary>Waits until every answer has its first token, as <see cref="BeginAsync"/> has for the first one, and writes all of them.</summary>
    public async Task<RequestError?> RunAsync(ICompletionEvents events, CancellationToken clientGone)
    {
        int wanted = RequestParameters.Choices(request);
        if (_choices.Count == 1)
        {
            return await _choices[0].RunAsync(events, clientGone);
        }

        if (_choices.Count == wanted)
        {
            return await RunAllAsync(_ => events, clientGone);
        }

        HeldEvents[] held = [.. _choices.Select(_ => new HeldEvents())];
        RequestError? error = await RunAllAsync(i => held[i], clientGone);
        if (error is null)
        {
            await GiveBestAsync(held, wanted, events, clientGone);
        }

        return error;
    }

    public void Dispose()
    {
        foreach (ChoiceStream choice in _choices)
        {
            choice.Dispose();
        }
    }

    /// <summary>Runs all to their ends; when one fails, the others are given up.</summary>
    private async Task<RequestError?> RunAllAsync(Func<int, ICompletionEvents> eventsOf, CancellationToken clientGone)
    {
        using CancellationTokenSource given = CancellationTokenSource.CreateLinkedTokenSource(clientGone);
        RequestError? error = null;
        async Task RunAsync(int i)
        {
            try
            {
                RequestError? failure = i == 0 ? null : await _choices[i].BeginAsync(given.Token);
                failure ??= await _choices[i].RunAsync(eventsOf(i), given.Token);
                if (failure is not null && Interlocked.CompareExchange(ref error, failure, null) is null)
                {
                    await given.CancelAsync();
                }
            }
            catch (OperationCanceledException) when (!clientGone.IsCancellationRequested)
            {
                // Another one has failed, and says why.
            }
        }

        await Task.WhenAll(Enumerable.Range(0, _choices.Count).Select(RunAsync));
        return error;
    }

    /// <summary>Writes the answers of the highest mean log probability, best first, ties in the order of their seeds.</summary>
    private async Task GiveBestAsync(HeldEvents[] held, int wanted, ICompletionEvents events, CancellationToken cancellation)
    {
        int[] order = [.. Enumerable.Range(0, held.Length).OrderByDescending(i => _choices[i].MeanLogprob)];
        held[order[0]].Finished.DiscardedTokens = order[wanted..].Sum(i => held[i].Finished.CompletionTokens);
        await events.EnterAsync(cancellation);
        try
        {
            for (int place = 0; place < wanted; place++)
            {
                held[order[place]].CopyTo(events, place);
            }

            await events.FlushAsync(cancellation);
        }
        finally
        {
            events.Leave();
        }
    }
}
