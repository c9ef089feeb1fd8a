using System.Collections.Concurrent;

namespace Serving.Embeddings;

/// <summary>
/// Embeds texts on threads of its own. Requests take turns, one text each, so that a small one does not wait for all of a large one; how many texts wait is bounded.
/// </summary>
public sealed class EmbeddingQueue : IDisposable
{
    private readonly SentenceModel _model;
    private readonly int _textsMax;
    private readonly BlockingCollection<EmbeddingJob> _jobs = [];
    private readonly Thread[] _threads;
    private int _pendingTexts;
    private long _pendingTokens;

    /// <param name="model">Stays the caller's, who disposes of it after the queue.</param>
    /// <param name="threads">At least 1.</param>
    /// <param name="textsMax">Most texts that wait or are computed.</param>
    public EmbeddingQueue(SentenceModel model, int threads, int textsMax)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(textsMax, 1);
        _model = model;
        _textsMax = textsMax;
        _threads = new Thread[threads];
        for (int i = 0; i < threads; i++)
        {
            _threads[i] = new Thread(Run) { IsBackground = true, Name = $"embedder {i}" };
            _threads[i].Start();
        }
    }

    /// <summary>Raised after texts came or were done, on any thread. Must return at once.</summary>
    public event Action? LoadChanged;

    /// <summary>Tokens of the texts that wait or are computed.</summary>
    public long PendingTokens => Interlocked.Read(ref _pendingTokens);

    /// <summary>Most texts that wait or are computed.</summary>
    public int TextsMax => _textsMax;

    /// <summary>Takes texts, or none of them where too many wait or the queue has stopped.</summary>
    /// <param name="texts">As <see cref="SentenceModel.Embed"/> takes them.</param>
    /// <param name="cancellationToken">Leaves out those that have not been begun.</param>
    /// <returns>Their embeddings in their order, as <see cref="SentenceModel.Embed"/> gives them; null: not taken.</returns>
    public Task<float[][]>? TryEmbedAsync(IReadOnlyList<int[]> texts, CancellationToken cancellationToken)
    {
        if (texts.Count == 0)
        {
            return Task.FromResult<float[][]>([]);
        }

        if (Interlocked.Add(ref _pendingTexts, texts.Count) > _textsMax)
        {
            Interlocked.Add(ref _pendingTexts, -texts.Count);
            return null;
        }

        EmbeddingJob job = new(texts, cancellationToken);
        Interlocked.Add(ref _pendingTokens, job.Tokens);
        if (!TryAdd(job))
        {
            Leave(job);
            return null;
        }

        LoadChanged?.Invoke();
        return job.Embeddings;
    }

    /// <summary>Takes no more texts, and returns once those that were taken are done.</summary>
    public void Dispose()
    {
        if (_jobs.IsAddingCompleted)
        {
            return;
        }

        _jobs.CompleteAdding();
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }
    }

    private void Run()
    {
        foreach (EmbeddingJob first in _jobs.GetConsumingEnumerable())
        {
            for (EmbeddingJob? job = first; job is not null;)
            {
                // Back in the line before its text is computed: other threads may take the next one of it. Once nothing can be added any more the thread stays with it.
                int text = job.Take();
                bool isInLine = job.HasMore && TryAdd(job);
                if (job.Compute(text, _model))
                {
                    Leave(job);
                    LoadChanged?.Invoke();
                }

                job = !isInLine && job.HasMore ? job : null;
            }
        }
    }

    private bool TryAdd(EmbeddingJob job)
    {
        try
        {
            return _jobs.TryAdd(job);
        }
        catch (InvalidOperationException)
        {
            return false; // Adding was completed.
        }
    }

    private void Leave(EmbeddingJob job)
    {
        Interlocked.Add(ref _pendingTexts, -job.Count);
        Interlocked.Add(ref _pendingTokens, -job.Tokens);
    }
}
