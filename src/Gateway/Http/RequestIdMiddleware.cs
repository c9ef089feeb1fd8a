using System.Buffers;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Http;

/// <summary>Gives each request its id: the client's own when that is short and harmless, else a new one. It is on every answer.</summary>
internal sealed class RequestIdMiddleware(RequestDelegate next)
{
    private const int LengthMax = 128;

    private static readonly SearchValues<char> _allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:");

    public Task InvokeAsync(HttpContext context)
    {
        var sent = context.Request.Headers[ServingHeaders.RequestId].ToString();
        var usable = sent.Length is > 0 and <= LengthMax && !sent.AsSpan().ContainsAnyExcept(_allowed);
        context.TraceIdentifier = usable ? sent : $"req_{Guid.CreateVersion7():N}";
        context.Response.Headers[ServingHeaders.RequestId] = context.TraceIdentifier;
        return next(context);
    }
}
