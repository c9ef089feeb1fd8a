using Serving.Contracts.Internal;
using Serving.Gateway.Http;
using Serving.Gateway.Security;

namespace Serving.Gateway.Generation;

/// <summary>Where a request comes from, as far as its way depends on it.</summary>
/// <param name="RequestId">The id in every log line and every leg.</param>
/// <param name="Tenant">Whose it is; empty: nobody's in particular.</param>
internal sealed record CallOrigin(string RequestId, string Tenant)
{
    public const string ChatOperation = "chat";
    public const string TextOperation = "text_completion";

    /// <summary>The operation as OpenTelemetry's GenAI conventions call it.</summary>
    public string Operation { get; init; } = ChatOperation;

    /// <summary>The body of an error, in the form of the request's route. Default: OpenAI's.</summary>
    public Func<ApiError, byte[]> ErrorBody { get; init; } = static error => error.ToJson();

    /// <summary>Milliseconds after which it ends, done or not; 0: never.</summary>
    public long TimeoutMs { get; init; }

    /// <summary>True for the gateway's own warm-up requests, which alone may pin workers.</summary>
    public bool IsWarmUp { get; init; }

    public string? DecodeWorkerPinned { get; init; }

    public string? PrefillWorkerPinned { get; init; }

    /// <summary>The origin of an HTTP request, or the error with which to answer.</summary>
    public static (CallOrigin? Origin, ApiError? Error) Of(HttpContext context, string operation, WarmUpToken warmUp)
    {
        var (timeoutMs, error) = TimeoutHeader.Read(context.Request);
        if (error is not null)
        {
            return (null, error);
        }

        var isWarmUp = warmUp.IsIn(context.Request);
        return (new CallOrigin(context.TraceIdentifier, Security.Tenant.NameOf(context))
        {
            Operation = operation,
            ErrorBody = error => error.ToJson(context),
            TimeoutMs = timeoutMs,
            IsWarmUp = isWarmUp,
            DecodeWorkerPinned = isWarmUp ? Header(context, ServingHeaders.DecodeWorker) : null,
            PrefillWorkerPinned = isWarmUp ? Header(context, ServingHeaders.PrefillWorker) : null,
        }, null);
    }

    private static string? Header(HttpContext context, string name) =>
        context.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;
}
