using System.Threading.Channels;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;

namespace Serving.Gateway.Forwarding;

/// <summary>The events of the answers to several prompts, all of them on their way at once, in the order in which they come.</summary>
internal sealed class MergedAnswers : IAnswerEvents
{
    /// <summary>Events that wait for the client; with more of them the workers wait too.</summary>
    private const int EventsMax = 256;

    private readonly Channel<AnswerEvent> _events = Channel.CreateBounded<AnswerEvent>(new BoundedChannelOptions(EventsMax) { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    /// <param name="open">Sends a leg to a worker and waits for its first event, or gives the error that came instead.</param>
    public MergedAnswers(IReadOnlyList<PromptLeg> legs, Func<PromptLeg, CancellationToken, Task<ApiError?>> open) =>
        _running = Task.WhenAll(legs.Select((leg, prompt) => RunAsync(prompt, leg, open)));

    /// <summary>Waits for the first event of all. The error: it came first.</summary>
    public async Task<ApiError?> BeginAsync(CancellationToken cancellationToken)
    {
        await _events.Reader.WaitToReadAsync(cancellationToken);
        return _events.Reader.TryPeek(out var first) ? first.Failure : null;
    }

    public ValueTask<AnswerEvent> ReadAsync(CancellationToken cancellationToken) => _events.Reader.ReadAsync(cancellationToken);

    public Task CloseAsync(CancellationToken cancellationToken) => _running.WaitAsync(cancellationToken);

    /// <summary>The legs' tasks see it and end by themselves.</summary>
    public void Dispose() => _stop.Cancel();

    private async Task RunAsync(int prompt, PromptLeg leg, Func<PromptLeg, CancellationToken, Task<ApiError?>> open)
    {
        var cancellation = _stop.Token;
        try
        {
            if (await open(leg, cancellation) is { } failure)
            {
                await _events.Writer.WriteAsync(new AnswerEvent(prompt, null, failure), cancellation);
                return;
            }

            var next = new CompletionEvent { Started = leg.Answer!.Started };
            var unfinished = Math.Max(1, leg.Request.Choices);
            while (next is not null && unfinished > 0)
            {
                unfinished -= next.EventCase == CompletionEvent.EventOneofCase.Finished ? 1 : 0;
                await _events.Writer.WriteAsync(new AnswerEvent(prompt, next), cancellation);
                next = await leg.ReadAsync(cancellation);
            }

            if (unfinished > 0)
            {
                await _events.Writer.WriteAsync(new AnswerEvent(prompt, null), cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody reads any more.
        }
        finally
        {
            leg.Dispose();
        }
    }
}
