using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Serving.Contracts.Internal;
using Serving.Worker.Completions;

namespace Serving.Worker;

/// <summary>Messages of the internal API as bodies of HTTP.</summary>
internal static class InternalMessages
{
    /// <summary>The request's message, or what is wrong with it.</summary>
    public static async Task<(T? Message, RequestError? Error)> ReadAsync<T>(HttpContext context, MessageParser<T> parser)
        where T : class, IMessage<T>
    {
        // Kestrel's own limit bounds the body; the gateway has bounded it long before.
        using MemoryStream body = new((int)(context.Request.ContentLength ?? 0));
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        try
        {
            body.Position = 0;
            return (parser.ParseFrom(body), null);
        }
        catch (InvalidProtocolBufferException exception)
        {
            return (null, RequestErrors.Unreadable(exception.Message));
        }
    }

    public static Task WriteAsync(HttpContext context, IMessage message) => WriteAsync(context, message, StatusCodes.Status200OK, InternalApi.ResponseContentType);

    public static Task WriteErrorAsync(HttpContext context, RequestError error) => WriteAsync(context, error, error.Status, InternalApi.ErrorContentType);

    private static Task WriteAsync(HttpContext context, IMessage message, int status, string contentType)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        return context.Response.Body.WriteAsync(message.ToByteArray(), context.RequestAborted).AsTask();
    }
}
