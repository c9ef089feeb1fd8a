using Serving.Gateway.Generation;
using Serving.Gateway.Tokens;

namespace Serving.Gateway.Messages;

/// <summary>Anthropic's <c>POST /v1/messages</c> and <c>POST /v1/messages/count_tokens</c>: another form of a chat.</summary>
internal static class MessagesApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/messages", static (HttpContext context, GenerationPipeline pipeline) => pipeline.AnswerAsync(context, MessagesRequestReader.Read));
        routes.MapPost(
            "/v1/messages/count_tokens",
            static (HttpContext context, TokensApi tokens) => tokens.CountAsync(
                context, fields => ValueTask.FromResult(MessagesRequestReader.ReadCount(fields)), "messages", static (json, count) => json.WriteNumber("input_tokens"u8, count)));
    }
}
