using Serving.Contracts.Internal;
using Serving.Gateway.Http;

namespace Serving.Gateway.Forwarding;

/// <summary>The events of a call's answers, whichever prompt they belong to. Disposing it before their end cancels the work.</summary>
internal interface IAnswerEvents : IDisposable
{
    ValueTask<AnswerEvent> ReadAsync(CancellationToken cancellationToken);

    /// <summary>After the last event: waits for the workers to close their streams.</summary>
    Task CloseAsync(CancellationToken cancellationToken);
}

/// <summary>One event of the answers to a prompt.</summary>
/// <param name="Prompt">Which prompt, from 0.</param>
/// <param name="Event">Null: none came, because of the failure, or because the worker was lost.</param>
internal readonly record struct AnswerEvent(int Prompt, CompletionEvent? Event, ApiError? Failure = null);
