using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Serving.Storage.Configuration;
using Serving.Storage.Leases;

namespace Serving.Storage;

/// <summary>
/// Removes what has expired, and what interrupted writes and deletions have left. One gateway does it at a time; that two do it is harmless.
/// </summary>
internal sealed partial class StorageSweep(
    StorageServices storage, ILeaseStore leases, IOptions<StorageOptions> options, TimeProvider time, ILogger<StorageSweep> logger) : BackgroundService
{
    private const int ChunkMax = 500;

    /// <summary>No upload takes longer.</summary>
    private static readonly TimeSpan _draftTimeMax = TimeSpan.FromDays(1);

    /// <summary>
    /// An object without a document is what a write left that was interrupted in between. No document lives longer than this, so an older
    /// object has none, whatever Redis may have forgotten.
    /// </summary>
    private static readonly TimeSpan _objectTimeMax = TimeSpan.FromDays(31);

    private readonly string _holder = Guid.NewGuid().ToString("N");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.Folder is not { Length: > 0 })
        {
            return;
        }

        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.SweepSeconds), time);
        do
        {
            try
            {
                await SweepAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is StorageUnavailableException or IOException or UnauthorizedAccessException)
            {
                LogFailed(logger, exception.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>Removes all that there is to remove.</summary>
    internal async Task SweepAsync(CancellationToken cancellationToken)
    {
        const string lease = "sweep";
        if (await leases.TakeAsync(lease, _holder, TimeSpan.FromSeconds(options.Value.SweepSeconds)) is null)
        {
            return;
        }

        try
        {
            var removed = await RemoveExpiredAsync(cancellationToken) + await RemoveOldObjectsAsync(cancellationToken);
            await storage.Objects.RemoveAbandonedAsync(_draftTimeMax, cancellationToken);
            if (removed > 0)
            {
                LogRemoved(logger, removed);
            }
        }
        finally
        {
            await leases.ReleaseAsync(lease, _holder);
        }
    }

    private async Task<int> RemoveExpiredAsync(CancellationToken cancellationToken)
    {
        var removed = 0;
        while (await storage.Documents.ExpiredAsync(ChunkMax) is { Count: > 0 } expired)
        {
            foreach (var key in expired)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await storage.RemoveAsync(key, cancellationToken);
            }

            removed += expired.Count;
        }

        return removed;
    }

    private async Task<int> RemoveOldObjectsAsync(CancellationToken cancellationToken)
    {
        var removed = 0;
        var newest = time.GetUtcNow() - _objectTimeMax;
        await foreach (var stored in storage.Objects.ListAsync(default, cancellationToken))
        {
            if (stored.WrittenAt < newest && await storage.Objects.DeleteAsync(stored.Key, cancellationToken))
            {
                removed++;
            }
        }

        return removed;
    }

    [LoggerMessage(60, LogLevel.Information, "Removed {Count} stored things whose time had come")]
    private static partial void LogRemoved(ILogger logger, int count);

    [LoggerMessage(61, LogLevel.Warning, "Stored things that have expired could not be removed and will be later: {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);
}
