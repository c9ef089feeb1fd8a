using System.Text.Json;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Batches;

/// <summary>A route whose requests may stand in batches. Each is a service of its own.</summary>
internal interface IBatchEndpoint
{
    /// <summary><c>/v1/chat/completions</c></summary>
    string Route { get; }

    /// <summary>The answer's body, or the error, with which HTTP would answer the same body.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled; whoever works on it hears of it.</exception>
    Task<(ReadOnlyMemory<byte> Body, ApiError? Error)> AnswerAsync(JsonElement body, CallOrigin origin, CancellationToken cancellationToken);
}
