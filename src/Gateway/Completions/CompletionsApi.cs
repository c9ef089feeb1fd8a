using Serving.Gateway.Generation;

namespace Serving.Gateway.Completions;

/// <summary><c>POST /v1/completions</c>.</summary>
internal static class CompletionsApi
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost(
        "/v1/completions",
        static (HttpContext context, GenerationPipeline pipeline) => pipeline.AnswerAsync(context, CompletionRequestReader.Read, CallOrigin.TextOperation));
}
