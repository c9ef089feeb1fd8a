using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Serving.Storage;
using Serving.Storage.Configuration;
using Serving.Storage.Leases;

namespace Serving.Gateway.Batches;

/// <summary>Takes up batches that have not ended and that no other gateway holds, the oldest first.</summary>
internal sealed partial class BatchRunner(
    BatchStore batches,
    BatchRun run,
    ILeaseStore leases,
    IOptions<StorageOptions> storage,
    IOptions<BatchOptions> options,
    TimeProvider time,
    ILogger<BatchRunner> logger) : BackgroundService
{
    /// <summary>Looks that a batch is passed over in after its run has failed, so that a full disk does not have lines computed in vain again and again.</summary>
    private const int FailedLooks = 5;

    private readonly string _holder = Guid.NewGuid().ToString("N");
    private readonly ConcurrentDictionary<string, Task> _running = [];
    private readonly SemaphoreSlim _wake = new(0, 1);

    /// <summary>There is something to run: do not wait for the next look.</summary>
    public void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake already.
        }
    }

    public override void Dispose()
    {
        _wake.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (storage.Value.Folder is not { Length: > 0 })
        {
            return;
        }

        try
        {
            while (true)
            {
                await LookAsync(stoppingToken);
                await _wake.WaitAsync(options.Value.Poll, stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(_running.Values);
        }
    }

    private async Task LookAsync(CancellationToken stopping)
    {
        try
        {
            foreach (var (id, batch) in await batches.OpenAsync())
            {
                if (_running.Count >= options.Value.BatchesAtOnceMax)
                {
                    return;
                }

                if (!_running.ContainsKey(id) && await HeldLease.TakeAsync(leases, $"batch:{id}", _holder, options.Value.Lease, time) is { } lease)
                {
                    // Noted before it starts, because it takes the note away at its end.
                    var running = new Task<Task>(() => RunAsync(id, batch, lease, stopping));
                    _running[id] = running.Unwrap();
                    running.Start(TaskScheduler.Default);
                }
            }
        }
        catch (StorageUnavailableException)
        {
            // Nothing is known of batches until Redis is back.
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LogNotRead(logger, exception);
        }
    }

    private async Task RunAsync(string id, OpenBatch batch, HeldLease lease, CancellationToken stopping)
    {
        var isLeft = true;
        try
        {
            await using (lease)
            {
                await run.RunAsync(id, batch, lease, stopping);
            }

            isLeft = false;
        }
        catch (OperationCanceledException)
        {
            LogLeft(logger, id, stopping.IsCancellationRequested ? "the gateway stops" : "another gateway may hold it");
        }
        catch (Exception exception) when (exception is StorageUnavailableException or IOException)
        {
            LogLeft(logger, id, exception.Message);
        }
        catch (Exception exception)
        {
            LogFailed(logger, exception, id);
        }

        if (isLeft)
        {
            await Task.Delay(options.Value.Poll * FailedLooks, time, stopping).ContinueWith(_ => { }, TaskScheduler.Default);
        }

        _running.TryRemove(id, out _);
        Wake();
    }

    [LoggerMessage(72, LogLevel.Information, "Batch {BatchId} is left where it stands: {Reason}")]
    private static partial void LogLeft(ILogger logger, string batchId, string reason);

    [LoggerMessage(73, LogLevel.Error, "Batch {BatchId} failed in the gateway")]
    private static partial void LogFailed(ILogger logger, Exception exception, string batchId);

    [LoggerMessage(74, LogLevel.Error, "The batches that are to be run cannot be read")]
    private static partial void LogNotRead(ILogger logger, Exception exception);
}
