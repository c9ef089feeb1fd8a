using Serving.Gateway.Chat.Stored;
using Serving.Gateway.Generation;
using Serving.Gateway.Security;

namespace Serving.Gateway.Chat;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal static class ChatCompletionsApi
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost(
        "/v1/chat/completions",
        static (HttpContext context, GenerationPipeline pipeline, StoredChats chats) =>
            pipeline.AnswerAsync(context, fields => ChatRequestReader.Read(fields, chats, Tenant.NameOf(context))));
}
