using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Batches;

/// <summary>A route that generates text, by the pipeline that its HTTP requests take.</summary>
/// <param name="read">Makes a request of the fields of a tenant's body.</param>
internal sealed class GenerationEndpoint(
    string route, string operation, Func<RequestFields, string, CancellationToken, ValueTask<GenerationRequest?>> read, GenerationPipeline pipeline)
    : IBatchEndpoint
{
    public string Route => route;

    public async Task<(ReadOnlyMemory<byte> Body, ApiError? Error)> AnswerAsync(JsonElement body, CallOrigin origin, CancellationToken cancellationToken)
    {
        var fields = new RequestFields(body);
        if (fields.Boolean("stream") == true)
        {
            fields.Fail("stream", "is not possible in a batch: leave it out.");
        }

        var request = await read(fields, origin.Tenant, cancellationToken);
        if (fields.Error is { } error)
        {
            return (default, error);
        }

        // Whatever the request says: a batch gives way to those who wait.
        var given = request! with { Profile = request.Profile with { Priority = Priority.Flex } };
        return await pipeline.RunAsync(given, origin with { Operation = operation }, cancellationToken);
    }
}
