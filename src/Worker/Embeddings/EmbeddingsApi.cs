using System.Runtime.InteropServices;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Serving.Contracts.Internal;
using Serving.Worker.Completions;
using Serving.Worker.Models;

namespace Serving.Worker.Embeddings;

/// <summary><c>POST /internal/v1/embeddings</c>: texts or tokens in, vectors of length 1 out.</summary>
internal static class EmbeddingsApi
{
    public static void MapEmbeddings(this IEndpointRouteBuilder routes) => routes.MapPost(InternalApi.EmbeddingsRoute, EmbedAsync);

    private static async Task EmbedAsync(HttpContext context, IModelSet models, WorkerIdentity identity)
    {
        (EmbeddingsRequest? request, RequestError? error) = await InternalMessages.ReadAsync(context, EmbeddingsRequest.Parser);
        EmbeddingsResponse response = new() { Worker = identity.Id };
        if (request is not null)
        {
            (IEmbedder? embedder, error) = models.FindEmbedder(request.Model);
            error ??= await ComputeAsync(request, embedder!, response, context.RequestAborted);
        }

        await (error is null ? InternalMessages.WriteAsync(context, response) : InternalMessages.WriteErrorAsync(context, error));
    }

    /// <summary>Fills the response, or says what is wrong.</summary>
    private static async Task<RequestError?> ComputeAsync(
        EmbeddingsRequest request, IEmbedder embedder, EmbeddingsResponse response, CancellationToken cancellationToken)
    {
        var texts = new int[request.Inputs.Count][];
        for (int i = 0; i < texts.Length; i++)
        {
            EmbeddingInput input = request.Inputs[i];
            texts[i] = input.InputCase == EmbeddingInput.InputOneofCase.Text ? embedder.Encode(input.Text) : [.. input.Tokens.Ids];
            if (Examine(texts[i], input.Param, embedder) is { } refusal)
            {
                return refusal;
            }
        }

        (float[][]? vectors, RequestError? error) = await embedder.EmbedAsync(texts, request, cancellationToken);
        for (int i = 0; vectors is not null && i < vectors.Length; i++)
        {
            if (!TryNormalize(vectors[i]))
            {
                return RequestErrors.Failed("the model gave hidden states that are not finite numbers.");
            }

            response.Embeddings.Add(new Embedding { Tokens = texts[i].Length, Values = Bytes(vectors[i]) });
        }

        return error;
    }

    private static RequestError? Examine(int[] tokens, string param, IEmbedder embedder)
    {
        if (tokens.Length == 0)
        {
            return RequestErrors.Invalid(param, "has no tokens");
        }

        if (tokens.Length > embedder.ContextLength)
        {
            RequestError error = RequestErrors.Invalid(param, $"has {tokens.Length} tokens; this model takes {embedder.ContextLength} at most");
            error.Code = "context_length_exceeded";
            return error;
        }

        return RequestErrors.UnknownToken(param, tokens, embedder.Tokenizer);
    }

    /// <summary>Brings a vector to length 1; false where it has no direction.</summary>
    private static bool TryNormalize(Span<float> vector)
    {
        double squares = 0;
        foreach (float element in vector)
        {
            squares += (double)element * element;
        }

        double norm = Math.Sqrt(squares);
        if (!double.IsFinite(norm) || norm == 0)
        {
            return false;
        }

        foreach (ref float element in vector)
        {
            element = (float)(element / norm);
        }

        return true;
    }

    private static ByteString Bytes(float[] vector) => ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(vector));
}
