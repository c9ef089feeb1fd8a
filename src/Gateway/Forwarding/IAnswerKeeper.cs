using Serving.Gateway.Http;

namespace Serving.Gateway.Forwarding;

/// <summary>A renderer whose answer outlives its request: it is stored before the client sees its end.</summary>
internal interface IAnswerKeeper : IAnswerRenderer
{
    /// <summary>Stores the answer. Comes once, between the last <see cref="IAnswerRenderer.Finished"/> and <see cref="IAnswerRenderer.Completed"/>.</summary>
    /// <returns>Why it could not be stored; the answer fails with it.</returns>
    ValueTask<ApiError?> KeepAsync(CancellationToken cancellationToken);
}
