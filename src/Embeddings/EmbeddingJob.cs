namespace Serving.Embeddings;

/// <summary>One request's texts. Threads take them one after the other; the last one to finish completes it.</summary>
internal sealed class EmbeddingJob(IReadOnlyList<int[]> texts, CancellationToken cancellationToken)
{
    private readonly TaskCompletionSource<float[][]> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly float[][] _embeddings = new float[texts.Count][];
    private int _taken;
    private int _done;

    public int Count => texts.Count;

    public long Tokens { get; } = texts.Sum(text => (long)text.Length);

    public Task<float[][]> Embeddings => _completion.Task;

    public bool HasMore => Volatile.Read(ref _taken) < texts.Count;

    /// <summary>The next text's place; past the last one where other threads were faster.</summary>
    public int Take() => Interlocked.Increment(ref _taken) - 1;

    /// <summary>Computes a text, unless nobody wants it any more.</summary>
    /// <returns>Whether it was the last one.</returns>
    public bool Compute(int text, SentenceModel model)
    {
        if (text >= texts.Count)
        {
            return false;
        }

        if (cancellationToken.IsCancellationRequested)
        {
            _completion.TrySetCanceled(cancellationToken);
        }
        else if (!_completion.Task.IsCompleted)
        {
            Compute(text, texts[text], model);
        }

        if (Interlocked.Increment(ref _done) < texts.Count)
        {
            return false;
        }

        _completion.TrySetResult(_embeddings);
        return true;
    }

    private void Compute(int place, int[] tokens, SentenceModel model)
    {
        try
        {
            _embeddings[place] = model.Embed(tokens);
        }
        catch (Exception exception)
        {
            // A request's failure, never the thread's: others' texts are to be computed all the same.
            _completion.TrySetException(exception);
        }
    }
}
