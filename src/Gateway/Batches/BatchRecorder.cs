using System.Threading.Channels;

namespace Serving.Gateway.Batches;

/// <summary>
/// Makes results durable, those that come together in one write. Who has a result waits for it before taking the next line, so that
/// of a killed gateway's work only the lines under way are done again.
/// </summary>
internal sealed class BatchRecorder : IAsyncDisposable
{
    /// <summary>Results of one write.</summary>
    private const int GroupMax = 256;

    private readonly Channel<(BatchResult Result, TaskCompletionSource Done)> _results =
        Channel.CreateUnbounded<(BatchResult, TaskCompletionSource)>(new UnboundedChannelOptions { SingleReader = true });

    private readonly Func<int, IReadOnlyCollection<BatchResult>, Task> _write;
    private readonly Task _writing;

    /// <param name="write">Writes results durably; its first argument counts the writes.</param>
    public BatchRecorder(Func<int, IReadOnlyCollection<BatchResult>, Task> write)
    {
        _write = write;
        _writing = WriteAsync();
    }

    /// <summary>Ends when the result is durable, or with what kept it from being so.</summary>
    public Task RecordAsync(BatchResult result)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _results.Writer.TryWrite((result, done));
        return done.Task;
    }

    public async ValueTask DisposeAsync()
    {
        _results.Writer.Complete();
        await _writing;
    }

    private async Task WriteAsync()
    {
        var group = new List<(BatchResult Result, TaskCompletionSource Done)>();
        for (var sequence = 0; await _results.Reader.WaitToReadAsync(); sequence++)
        {
            group.Clear();
            while (group.Count < GroupMax && _results.Reader.TryRead(out var next))
            {
                group.Add(next);
            }

            try
            {
                await _write(sequence, [.. group.Select(entry => entry.Result)]);
                group.ForEach(entry => entry.Done.SetResult());
            }
            catch (Exception exception)
            {
                group.ForEach(entry => entry.Done.SetException(exception));
            }
        }
    }
}
