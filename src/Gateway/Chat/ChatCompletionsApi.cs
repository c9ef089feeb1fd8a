using Serving.Gateway.Generation;

namespace Serving.Gateway.Chat;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal static class ChatCompletionsApi
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost(
        "/v1/chat/completions", static (HttpContext context, GenerationPipeline pipeline) => pipeline.AnswerAsync(context, ChatRequestReader.Read));
}
