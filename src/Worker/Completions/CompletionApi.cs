using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Serving.Contracts.Internal;
using Serving.Worker.Models;

namespace Serving.Worker.Completions;

/// <summary><c>POST /internal/v1/completions</c>: one request in, a stream of events out.</summary>
internal static class CompletionApi
{
    public static void MapCompletions(this IEndpointRouteBuilder routes) => routes.MapPost(InternalApi.CompletionsRoute, HandleAsync);

    private static async Task HandleAsync(HttpContext context, IModelSet models, CompletionRunner runner)
    {
        (CompletionRequest? request, RequestError? error) = await ReadAsync(context);
        if (request is null)
        {
            await WriteErrorAsync(context, error!);
            return;
        }

        if (!models.TryGet(request.Model, out ModelRuntime? model))
        {
            await WriteErrorAsync(
                context,
                models.Models.Count == 0 ? RequestErrors.NotReady() : RequestErrors.UnknownModel(request.Model, models.Models.Select(served => served.Served.Name)));
            return;
        }

        using CompletionEventWriter events = new(context.Response);
        if (await runner.RunAsync(model, request, events, context.RequestAborted) is { } failure)
        {
            await (events.HasStarted ? events.FailAsync(failure) : WriteErrorAsync(context, failure));
        }
    }

    private static async Task<(CompletionRequest?, RequestError?)> ReadAsync(HttpContext context)
    {
        // Kestrel's own limit bounds the body; the gateway has bounded it long before.
        using MemoryStream body = new();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        try
        {
            body.Position = 0;
            return (CompletionRequest.Parser.ParseFrom(body), null);
        }
        catch (InvalidProtocolBufferException exception)
        {
            return (null, RequestErrors.Unreadable(exception.Message));
        }
    }

    private static Task WriteErrorAsync(HttpContext context, RequestError error)
    {
        context.Response.StatusCode = error.Status;
        context.Response.ContentType = InternalApi.ErrorContentType;
        return context.Response.Body.WriteAsync(error.ToByteArray(), context.RequestAborted).AsTask();
    }
}
