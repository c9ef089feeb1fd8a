using Serving.Gateway.Generation;
using Serving.Storage;

namespace Serving.Gateway.Chat;

/// <summary>What all parts of one chat answer repeat.</summary>
/// <param name="Id"><c>chatcmpl-…</c></param>
/// <param name="ServiceTier">The tier that the request is served in; null where it named none.</param>
internal sealed record ChatAnswerId(string Id, AnswerStamp Stamp, string? ServiceTier)
{
    public static ChatAnswerId New(AnswerStamp stamp, string? serviceTier) => new(StoreId.New("chatcmpl-", stamp.CreatedAt), stamp, serviceTier);
}
