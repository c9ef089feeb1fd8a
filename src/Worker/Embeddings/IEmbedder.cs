using Serving.Contracts.Internal;
using Serving.Text.Tokenization;

namespace Serving.Worker.Embeddings;

/// <summary>A model that turns texts into vectors.</summary>
internal interface IEmbedder
{
    /// <summary>Most tokens of a text.</summary>
    int ContextLength { get; }

    ITokenizer Tokenizer { get; }

    /// <summary>A text's tokens, with what the model expects around a text.</summary>
    int[] Encode(string text);

    /// <summary>The vectors of texts in their order, of whatever length, or why there are none.</summary>
    /// <param name="texts">Each has 1 to <see cref="ContextLength"/> tokens of the vocabulary.</param>
    /// <param name="request">Whose they are.</param>
    /// <exception cref="OperationCanceledException">Nobody wants them any more.</exception>
    Task<(float[][]? Vectors, RequestError? Error)> EmbedAsync(IReadOnlyList<int[]> texts, EmbeddingsRequest request, CancellationToken cancellationToken);
}
