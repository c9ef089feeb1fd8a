using Serving.Contracts.Internal;

namespace Serving.Worker.Completions;

/// <summary>The events of one answer, kept until it is decided whether the answer is given at all.</summary>
internal sealed class HeldEvents : ICompletionEvents
{
    private readonly List<CompletionEvent> _events = [];

    public CompletionFinished Finished => _events[^1].Finished;

    public Task EnterAsync(CancellationToken cancellation) => Task.CompletedTask;

    public void Write(CompletionEvent message) => _events.Add(message.Clone());

    public ValueTask FlushAsync(CancellationToken cancellation) => ValueTask.CompletedTask;

    public void Leave()
    {
    }

    /// <summary>Hands everything on, as the answer with another index.</summary>
    public void CopyTo(ICompletionEvents events, int choice)
    {
        foreach (CompletionEvent held in _events)
        {
            if (held.EventCase == CompletionEvent.EventOneofCase.Tokens)
            {
                held.Tokens.Choice = choice;
            }
            else
            {
                held.Finished.Choice = choice;
            }

            events.Write(held);
        }
    }
}
