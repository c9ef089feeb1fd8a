using Microsoft.AspNetCore.Http.Features;
using Serving.Storage;

namespace Serving.Gateway.Http;

/// <summary>Sees to it that every failed answer has OpenAI's error body: unknown routes, wrong methods, bad HTTP and our own bugs.</summary>
internal sealed partial class FailureMiddleware(RequestDelegate next, ILogger<FailureMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (BadHttpRequestException exception)
        {
            await ApiError.Invalid(exception.Message, status: exception.StatusCode).WriteAsync(context);
            return;
        }
        catch (StorageUnavailableException exception) when (!context.Response.HasStarted)
        {
            LogUnavailable(logger, context.TraceIdentifier, exception.InnerException?.Message ?? exception.Message);
            await ApiError.Unavailable(exception.Message).WriteAsync(context);
            return;
        }
        catch (Exception exception)
        {
            LogFailed(logger, exception, context.TraceIdentifier);
            if (context.Response.HasStarted)
            {
                context.Abort();
                return;
            }

            await ApiError.Internal().WriteAsync(context);
            return;
        }

        if (context.Response is { HasStarted: false, ContentType: null, ContentLength: null, StatusCode: >= 400 })
        {
            await Explain(context).WriteAsync(context);
        }
    }

    private static ApiError Explain(HttpContext context)
    {
        var request = $"{context.Request.Method} {context.Request.Path}";
        return context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => ApiError.Invalid($"There is no {request} here.", code: "unknown_url", status: 404),
            StatusCodes.Status405MethodNotAllowed => ApiError.Invalid(
                $"{request} is not served; this URL takes {context.Response.Headers.Allow}.", code: "method_not_allowed", status: 405),
            var status => ApiError.Invalid(
                context.Features.Get<IHttpResponseFeature>()?.ReasonPhrase ?? $"The request failed with status {status}.", status: status),
        };
    }

    [LoggerMessage(1, LogLevel.Error, "Request {RequestId} failed in the gateway")]
    private static partial void LogFailed(ILogger logger, Exception exception, string requestId);

    [LoggerMessage(2, LogLevel.Warning, "Request {RequestId} needs what is stored, which cannot be reached: {Reason}")]
    private static partial void LogUnavailable(ILogger logger, string requestId, string reason);
}
