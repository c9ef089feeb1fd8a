using Serving.Gateway.Forwarding;

namespace Serving.Gateway.Generation;

/// <summary>What an API's reader makes of a body.</summary>
/// <param name="Render">Makes the renderer of the answer, once the request has a place.</param>
internal sealed record GenerationRequest(GenerationProfile Profile, Func<AnswerStamp, IAnswerRenderer> Render);
