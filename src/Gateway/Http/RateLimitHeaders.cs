namespace Serving.Gateway.Http;

/// <summary>OpenAI's names for what is left of a rate limit. Here the limit is of requests under way, so it resets as they end.</summary>
internal static class RateLimitHeaders
{
    public const string LimitRequests = "x-ratelimit-limit-requests";
    public const string RemainingRequests = "x-ratelimit-remaining-requests";

    /// <summary>When it is worth trying again: <c>1s</c>.</summary>
    public const string ResetRequests = "x-ratelimit-reset-requests";
}
