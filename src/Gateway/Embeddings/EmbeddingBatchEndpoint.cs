using System.Text.Json;
using Serving.Gateway.Batches;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Embeddings;

/// <summary><c>/v1/embeddings</c> in batches.</summary>
internal sealed class EmbeddingBatchEndpoint(EmbeddingPipeline pipeline) : IBatchEndpoint
{
    public string Route => "/v1/embeddings";

    public async Task<(ReadOnlyMemory<byte> Body, ApiError? Error)> AnswerAsync(JsonElement body, CallOrigin origin, CancellationToken cancellationToken)
    {
        var fields = new RequestFields(body);
        var request = EmbeddingsReader.Read(fields);
        return fields.Error is { } error
            ? (default, error)
            : await pipeline.RunAsync(request!, origin with { Operation = EmbeddingPipeline.Operation }, cancellationToken);
    }
}
