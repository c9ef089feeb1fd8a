using Serving.Contracts.Internal;

namespace Serving.Worker.Completions;

/// <summary>Takes the events of a request's answers, which come from several streams. Whoever writes enters before and leaves afterwards.</summary>
internal interface ICompletionEvents
{
    /// <summary>Waits until no other stream writes.</summary>
    Task EnterAsync(CancellationToken cancellation);

    /// <param name="message">Stays the caller's: it may have other contents after this call.</param>
    void Write(CompletionEvent message);

    /// <summary>Sends what was written.</summary>
    ValueTask FlushAsync(CancellationToken cancellation);

    void Leave();
}
