using Serving.Gateway.Forwarding;
using Serving.Gateway.Http;

namespace Serving.Gateway.Generation;

/// <summary>What an API's reader makes of a body.</summary>
/// <param name="Render">Makes the renderer of the answer, once the request has a place.</param>
internal sealed record GenerationRequest(GenerationProfile Profile, Func<AnswerStamp, IAnswerRenderer> Render)
{
    /// <summary>Is asked before the request gets a place: whether there is room for what will be stored of it. Null: nothing is to be asked.</summary>
    public Func<ValueTask<ApiError?>>? Admit { get; init; }
}
