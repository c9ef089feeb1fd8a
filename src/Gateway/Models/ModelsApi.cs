using Microsoft.AspNetCore.Http.HttpResults;
using Serving.Contracts.Cluster;
using Serving.Contracts.OpenAI;

namespace Serving.Gateway.Models;

/// <summary><c>GET /v1/models</c> and <c>GET /v1/models/{id}</c>.</summary>
internal static class ModelsApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/models", List);
        routes.MapGet("/v1/models/{**id}", GetAsync);
    }

    /// <summary>Those that write come first: clients that are told of no model take the first one.</summary>
    private static JsonHttpResult<OpenAiModelList> List(ModelDirectory models) =>
        TypedResults.Json(new OpenAiModelList([.. models.Models.OrderBy(model => model.Kind).Select(Render)]), OpenAiJson.Default.OpenAiModelList);

    private static async Task GetAsync(string id, HttpContext context, ModelDirectory models)
    {
        var (model, error) = models.Resolve(id);
        if (model is null)
        {
            await error!.WriteAsync(context);
            return;
        }

        await context.Response.WriteAsJsonAsync(Render(model), OpenAiJson.Default.OpenAiModel, cancellationToken: context.RequestAborted);
    }

    private static OpenAiModel Render(ServedModel model) => new(model.Name, model.CreatedAt.ToUnixTimeSeconds(), model.OwnedBy);
}
