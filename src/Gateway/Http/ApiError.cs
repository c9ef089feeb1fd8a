using System.Globalization;
using System.Text.Json;
using Microsoft.Net.Http.Headers;
using Serving.Contracts.Internal;
using Serving.Contracts.OpenAI;
using Serving.Storage.Documents;

namespace Serving.Gateway.Http;

/// <summary>A failed answer of the API: the one place where status, OpenAI's error body and headers meet.</summary>
/// <param name="RetryAfterSeconds">0: no advice.</param>
/// <param name="RequestsMax">Of a tenant's limit that was met: how many requests it allows; otherwise 0.</param>
internal sealed record ApiError(int Status, OpenAiError Error, int RetryAfterSeconds = 0, int RequestsMax = 0) : IResult
{
    /// <summary>The code of a worker's death under the request: 503 before the answer had begun, 502 in its middle.</summary>
    public const string WorkerLostCode = "worker_lost";

    /// <summary>A mistake in the request: 400 unless <paramref name="status"/> says otherwise.</summary>
    public static ApiError Invalid(string message, string? param = null, string? code = null, int status = StatusCodes.Status400BadRequest) =>
        new(status, new OpenAiError(message, OpenAiErrorType.InvalidRequest, param, code));

    /// <summary>The tenant has no such thing; that another one has, nobody learns.</summary>
    /// <param name="kind">What it would be: <c>file</c>.</param>
    public static ApiError NotFound(string kind, string id) =>
        Invalid($"There is no {kind} '{id}': it was never there, has expired or was deleted.", "id", "not_found", StatusCodes.Status404NotFound);

    public static ApiError Unavailable(string message, int retryAfterSeconds = 1, string code = "service_unavailable") => new(
        StatusCodes.Status503ServiceUnavailable,
        new OpenAiError(message, OpenAiErrorType.Server, null, code),
        retryAfterSeconds);

    /// <summary>The tenant has as many requests under way as it may have.</summary>
    /// <param name="requestsMax">How many those are.</param>
    public static ApiError TooMany(string message, int requestsMax, string? param = null) => new(
        StatusCodes.Status429TooManyRequests,
        new OpenAiError(message, OpenAiErrorType.RateLimit, param, "rate_limit_exceeded"),
        RetryAfterSeconds: 1,
        requestsMax);

    /// <summary>403, because trying again does not help, as clients would after 429.</summary>
    public static ApiError NoRoom(QuotaExceeded exceeded) => new(
        StatusCodes.Status403Forbidden,
        new OpenAiError(
            $"There is no room for it: {exceeded.Used.Objects} of {exceeded.Quota.Objects} things with {exceeded.Used.Bytes} of {exceeded.Quota.Bytes} bytes are stored. "
                + "Delete files, batches or stored answers, or have the operator raise Storage:TenantBytesMax or Storage:TenantObjectsMax.",
            OpenAiErrorType.InvalidRequest,
            null,
            "storage_quota_exceeded"));

    /// <summary>The client's own time limit has passed.</summary>
    public static ApiError DeadlineExceeded(long timeoutMs) => new(
        StatusCodes.Status504GatewayTimeout,
        new OpenAiError($"The request's {timeoutMs} ms ({ServingHeaders.TimeoutMs}) have passed.", OpenAiErrorType.Server, null, "deadline_exceeded"));

    public static ApiError WorkerLost(string message) => new(
        StatusCodes.Status502BadGateway,
        new OpenAiError(message, OpenAiErrorType.Server, null, WorkerLostCode));

    public static ApiError WorkerSilent(TimeSpan time) => new(
        StatusCodes.Status504GatewayTimeout,
        new OpenAiError($"The decode worker said nothing for {time.TotalSeconds} s.", OpenAiErrorType.Server, null, "worker_silent"));

    public static ApiError Internal() => new(
        StatusCodes.Status500InternalServerError,
        new OpenAiError("The gateway failed; its log has more under this x-request-id.", OpenAiErrorType.Server, null, "internal_error"));

    /// <summary>What a worker found, as the client sees it. A status that is no error's counts as the worker's fault.</summary>
    public static ApiError Of(RequestError error)
    {
        var status = error.Status is >= 400 and < 600 ? error.Status : StatusCodes.Status500InternalServerError;
        var type = status switch
        {
            StatusCodes.Status429TooManyRequests => OpenAiErrorType.RateLimit,
            < 500 => OpenAiErrorType.InvalidRequest,
            _ => OpenAiErrorType.Server,
        };
        return new ApiError(status, new OpenAiError(error.Message, type, NullIfEmpty(error.Param), NullIfEmpty(error.Code)), error.RetryAfterS, error.RequestsMax);
    }

    /// <summary>What the answer's headers say of the error.</summary>
    public IEnumerable<(string Name, string Value)> Headers()
    {
        if (RetryAfterSeconds > 0)
        {
            yield return (HeaderNames.RetryAfter, string.Create(CultureInfo.InvariantCulture, $"{RetryAfterSeconds}"));
        }

        if (RequestsMax > 0)
        {
            yield return (RateLimitHeaders.LimitRequests, string.Create(CultureInfo.InvariantCulture, $"{RequestsMax}"));
            yield return (RateLimitHeaders.RemainingRequests, "0");
            yield return (RateLimitHeaders.ResetRequests, string.Create(CultureInfo.InvariantCulture, $"{RetryAfterSeconds}s"));
        }

        if (Status == StatusCodes.Status401Unauthorized)
        {
            yield return (HeaderNames.WWWAuthenticate, "Bearer");
        }
    }

    /// <summary>The error body's JSON, in OpenAI's form.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(new OpenAiErrorBody(Error), ApiJson.OpenAi.OpenAiErrorBody);

    /// <summary>The error body's JSON, in the form that the request's route speaks.</summary>
    public byte[] ToJson(HttpContext context) =>
        AnthropicError.IsSpokenAt(context.Request.Path) ? AnthropicError.ToJson(this, context.TraceIdentifier) : ToJson();

    /// <summary>Answers the request, unless the answer has begun.</summary>
    public async Task WriteAsync(HttpContext context)
    {
        var response = context.Response;
        if (response.HasStarted)
        {
            return;
        }

        var body = ToJson(context);
        response.StatusCode = Status;
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        foreach (var (name, value) in Headers())
        {
            response.Headers[name] = value;
        }

        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(body, context.RequestAborted);
        }
    }

    /// <summary>Lets a handler return it.</summary>
    Task IResult.ExecuteAsync(HttpContext httpContext) => WriteAsync(httpContext);

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
