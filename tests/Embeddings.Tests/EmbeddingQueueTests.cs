namespace Serving.Embeddings.Tests;

public sealed class EmbeddingQueueTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Texts_of_many_requests_get_the_embeddings_that_they_get_alone(int threads)
    {
        using EmbeddingQueue queue = new(MiniLm.Model, threads, textsMax: 100);
        var requests = Enumerable.Range(0, 5).Select(i => MiniLm.Golden.Skip(i).Select(golden => golden.Ids).ToArray()).ToArray();

        var answers = await Task.WhenAll(requests.Select(texts => queue.TryEmbedAsync(texts, default)!)).WaitAsync(_patience);

        for (var request = 0; request < requests.Length; request++)
        {
            Assert.Equal(requests[request].Select(text => MiniLm.Model.Embed(text)), answers[request]);
        }

        Assert.Equal(0, queue.PendingTokens);
    }

    [Fact]
    public async Task A_small_request_does_not_wait_for_a_large_one()
    {
        using EmbeddingQueue queue = new(MiniLm.Model, threads: 1, textsMax: 1000);
        var large = queue.TryEmbedAsync([.. Enumerable.Range(0, 300).Select(_ => new int[64])], default)!;

        await queue.TryEmbedAsync([MiniLm.Golden[0].Ids], default)!.WaitAsync(_patience);

        Assert.False(large.IsCompleted);
        Assert.Equal(300, (await large.WaitAsync(_patience)).Length);
    }

    [Fact]
    public async Task What_has_no_room_is_refused_whole_and_taken_once_there_is()
    {
        using EmbeddingQueue queue = new(MiniLm.Model, threads: 1, textsMax: 10);
        var changes = 0;
        queue.LoadChanged += () => Interlocked.Increment(ref changes);
        var first = queue.TryEmbedAsync([.. Enumerable.Range(0, 10).Select(_ => new int[512])], default)!;

        Assert.Null(queue.TryEmbedAsync([MiniLm.Golden[0].Ids], default));
        Assert.Equal(5120, queue.PendingTokens);
        await first.WaitAsync(_patience);

        // The last text is counted out just after its request was told.
        Task<float[][]>? second;
        while ((second = queue.TryEmbedAsync([MiniLm.Golden[0].Ids], default)) is null)
        {
            await Task.Delay(1);
        }

        await second.WaitAsync(_patience);
        Assert.True(changes >= 3);
    }

    [Fact]
    public async Task What_nobody_wants_any_more_is_not_computed()
    {
        using CancellationTokenSource gone = new();
        using EmbeddingQueue queue = new(MiniLm.Model, threads: 1, textsMax: 5000);
        var abandoned = queue.TryEmbedAsync([.. Enumerable.Range(0, 4000).Select(_ => new int[512])], gone.Token)!;
        await gone.CancelAsync();

        // Computed, they would take minutes.
        await queue.TryEmbedAsync([MiniLm.Golden[0].Ids], default)!.WaitAsync(_patience);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => abandoned.WaitAsync(_patience));
    }

    [Fact]
    public async Task A_text_that_fails_is_its_request_s_failure_alone()
    {
        using EmbeddingQueue queue = new(MiniLm.Model, threads: 1, textsMax: 10);
        var broken = queue.TryEmbedAsync([new int[600], MiniLm.Golden[0].Ids], default)!;
        var sound = queue.TryEmbedAsync([MiniLm.Golden[1].Ids], default)!;

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => broken.WaitAsync(_patience));
        Assert.Single(await sound.WaitAsync(_patience));
    }

    [Fact]
    public async Task Stopping_finishes_what_was_taken_and_takes_no_more()
    {
        EmbeddingQueue queue = new(MiniLm.Model, threads: 2, textsMax: 100);
        var taken = queue.TryEmbedAsync([.. Enumerable.Range(0, 20).Select(_ => MiniLm.Golden[0].Ids)], default)!;

        queue.Dispose();

        Assert.True(taken.IsCompletedSuccessfully);
        Assert.Equal(20, (await taken).Length);
        Assert.Null(queue.TryEmbedAsync([MiniLm.Golden[0].Ids], default));
        Assert.Equal(0, queue.PendingTokens);
    }
}
