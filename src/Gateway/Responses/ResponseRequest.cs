using Serving.Gateway.Generation;

namespace Serving.Gateway.Responses;

/// <summary>What <c>POST /v1/responses</c> asks for.</summary>
/// <param name="Settings">What the response repeats of it.</param>
/// <param name="Items">The items that the answer answers, a JSON array; null: nothing is stored.</param>
internal sealed record ResponseRequest(ResponseId Id, GenerationProfile Profile, ResponseSettings Settings, byte[]? Items)
{
    public bool IsStream { get; init; }

    /// <summary>Nobody waits for it: it is fetched later.</summary>
    public bool IsBackground { get; init; }
}
