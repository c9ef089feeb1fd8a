using Serving.Contracts.Internal;

namespace Serving.Gateway.Forwarding;

/// <summary>A decode worker's answer that has begun. Disposing it before its end resets the stream, which cancels the work.</summary>
internal sealed class WorkerAnswer(HttpResponseMessage response, CompletionEventReader events, CompletionStarted started) : IDisposable
{
    public CompletionStarted Started => started;

    /// <summary>The events after <see cref="Started"/>.</summary>
    public CompletionEventReader Events => events;

    public void Dispose()
    {
        events.Dispose();
        response.Dispose();
    }
}
