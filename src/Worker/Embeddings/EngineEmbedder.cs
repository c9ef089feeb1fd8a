using Serving.Contracts.Internal;
using Serving.Engine.Scheduling;
using Serving.Text.Tokenization;
using Serving.Worker.Completions;
using Serving.Worker.Loop;
using Serving.Worker.Models;

namespace Serving.Worker.Embeddings;

/// <summary>
/// A generative model as an embedder: the mean over a text's tokens of the hidden states behind the last norm. The texts are prompts like others', in the queue of the
/// same engine.
/// </summary>
internal sealed class EngineEmbedder(ModelRuntime model) : IEmbedder
{
    /// <summary>Texts of a request that the engine holds at once: enough to fill its steps, too few to fill its queue.</summary>
    private const int TextsAtOnce = 8;

    public int ContextLength => model.Engine.Limits.SequenceTokensMax;

    public ITokenizer Tokenizer => model.Tokenizer;

    public int[] Encode(string text) => model.Prompts.Encode(text);

    public async Task<(float[][]? Vectors, RequestError? Error)> EmbedAsync(
        IReadOnlyList<int[]> texts, EmbeddingsRequest request, CancellationToken cancellationToken)
    {
        var vectors = new float[texts.Count][];
        RequestError? error = null;
        ParallelOptions options = new() { MaxDegreeOfParallelism = TextsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, texts.Count, options, async (text, cancellation) =>
        {
            if (Volatile.Read(ref error) is null && await EmbedAsync(texts[text], vectors, text, request, cancellation) is { } failure)
            {
                Interlocked.CompareExchange(ref error, failure, null);
            }
        });
        return error is null ? (vectors, null) : (null, error);
    }

    private async Task<RequestError?> EmbedAsync(int[] tokens, float[][] vectors, int place, EmbeddingsRequest request, CancellationToken cancellationToken)
    {
        SubmitResult submitted = model.Engine.Submit(new SequenceRequest
        {
            RequestId = request.RequestId,
            PromptTokens = tokens,
            Work = SequenceWork.Embed,
            Tenant = request.Tenant,
        });
        if (!submitted.IsAccepted)
        {
            return RequestErrors.From(submitted.Refusal);
        }

        using SequenceHandle sequence = submitted.Handle;
        await foreach (SequenceOutput output in sequence.Outputs.ReadAllAsync(cancellationToken))
        {
            if (output.Kind == SequenceOutputKind.Failed)
            {
                return RequestErrors.Failed(output.Error!);
            }
        }

        vectors[place] = sequence.HiddenSum.ToArray();
        return null;
    }
}
