using System.Runtime.CompilerServices;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Forwarding;

/// <summary>The events of the answers to one prompt, read when they are asked for: a slow client slows its worker down.</summary>
/// <param name="leg">Its answer has begun.</param>
internal sealed class SingleAnswer(PromptLeg leg) : IAnswerEvents
{
    private bool _started;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<AnswerEvent> ReadAsync(CancellationToken cancellationToken)
    {
        if (_started)
        {
            return new AnswerEvent(0, await leg.ReadAsync(cancellationToken));
        }

        _started = true;
        return new AnswerEvent(0, new CompletionEvent { Started = leg.Answer!.Started });
    }

    public async Task CloseAsync(CancellationToken cancellationToken) => await leg.ReadAsync(cancellationToken);

    public void Dispose() => leg.Dispose();
}
