using Microsoft.Net.Http.Headers;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Http;

/// <summary>Answer headers that a web page of an allowed origin may read.</summary>
internal static class ExposedHeaders
{
    public static string[] All { get; } =
    [
        ServingHeaders.RequestId,
        ServingHeaders.PrefillWorker,
        ServingHeaders.DecodeWorker,
        ServingHeaders.KvBytes,
        ServingHeaders.DecodePromptTokens,
        HeaderNames.RetryAfter,
        RateLimitHeaders.LimitRequests,
        RateLimitHeaders.RemainingRequests,
        RateLimitHeaders.ResetRequests,
    ];
}
