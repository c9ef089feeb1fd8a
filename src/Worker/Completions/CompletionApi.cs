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
        (CompletionRequest? request, RequestError? error) = await InternalMessages.ReadAsync(context, CompletionRequest.Parser);
        ModelRuntime? model = null;
        if (request is not null)
        {
            (model, error) = models.Find(request.Model);
        }

        if (error is not null)
        {
            await InternalMessages.WriteErrorAsync(context, error);
            return;
        }

        using CompletionEventWriter events = new(context.Response);
        if (await runner.RunAsync(model!, request!, events, context.RequestAborted) is { } failure)
        {
            await (events.HasStarted ? events.FailAsync(failure) : InternalMessages.WriteErrorAsync(context, failure));
        }
    }
}
