using Microsoft.Extensions.Options;
using Serving.Contracts.OpenAI;
using Serving.Gateway.Files;
using Serving.Storage;
using Serving.Storage.Leases;

namespace Serving.Gateway.Batches;

/// <summary>
/// Runs one batch from wherever it stands to its end. What it does is all in the document and the recorded results, so whoever holds
/// the lease next goes on where this was interrupted, by whatever.
/// </summary>
internal sealed partial class BatchRun(
    BatchStore batches,
    BatchValidation validation,
    BatchLines lines,
    BatchParts parts,
    BatchEnd end,
    FileStore files,
    IOptions<BatchOptions> options,
    TimeProvider time,
    ILogger<BatchRun> logger)
{
    /// <summary>Ends when the batch has ended.</summary>
    /// <param name="stopping">The gateway stops.</param>
    /// <exception cref="OperationCanceledException">The gateway stops or the lease is lost. The batch is not at its end.</exception>
    /// <exception cref="StorageUnavailableException">What is stored cannot be reached. The batch is not at its end.</exception>
    public async Task RunAsync(string id, OpenBatch open, HeldLease lease, CancellationToken stopping)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stopping, lease.Lost);
        var cancellationToken = linked.Token;
        var hasAll = false;
        var batch = await batches.GetAsync(open.Tenant, id);
        if (batch is { Shown.Status: OpenAiBatchStatus.Validating })
        {
            batch = await ValidateAsync(open.Tenant, batch, cancellationToken);
        }

        if (batch is { Shown.Status: OpenAiBatchStatus.InProgress })
        {
            hasAll = await WorkAsync(open.Tenant, batch.Shown, lease.Term, cancellationToken);
            batch = await batches.GetAsync(open.Tenant, id);
        }

        if (batch is { HasEnded: false })
        {
            cancellationToken.ThrowIfCancellationRequested();
            batch = await end.WriteAsync(open.Tenant, id, hasAll, cancellationToken);
        }

        if (batch is not null)
        {
            LogEnded(logger, id, batch.Shown.Status, batch.Shown.RequestCounts.Completed, batch.Shown.RequestCounts.Failed, batch.Shown.RequestCounts.Total);
        }

        await parts.DeleteAsync(open.Tenant, id, cancellationToken);
        await batches.CloseAsync(id, open);
    }

    private async Task<BatchRecord?> ValidateAsync(string tenant, BatchRecord batch, CancellationToken cancellationToken)
    {
        var checkedBatch = await validation.CheckAsync(tenant, batch.Shown, cancellationToken);
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        return await batches.UpdateAsync(tenant, batch.Shown.Id, current => current with
        {
            Shown = current.Shown with
            {
                Model = checkedBatch.Model,
                Errors = checkedBatch.Errors,
                RequestCounts = checkedBatch.RequestCounts,
                // It may have been cancelled meanwhile, and then stays so.
                Status = checkedBatch.Errors is not null ? OpenAiBatchStatus.Failed : current.CanBeCancelled ? OpenAiBatchStatus.InProgress : current.Shown.Status,
                FailedAt = checkedBatch.Errors is not null ? now : null,
                InProgressAt = checkedBatch.Errors is null && current.CanBeCancelled ? now : null,
            },
        });
    }

    /// <summary>Runs the lines that have no result yet, until all have, the batch is cancelled or its window ends.</summary>
    /// <returns>Whether all have.</returns>
    private async Task<bool> WorkAsync(string tenant, OpenAiBatch batch, long term, CancellationToken cancellationToken)
    {
        var (done, tally) = (new HashSet<int>(), new BatchTally());
        await foreach (var result in parts.ReadAsync(tenant, batch.Id, cancellationToken))
        {
            done.Add(result.Number);
            tally.Add(result);
        }

        if (await files.OpenAsync(tenant, batch.InputFileId, cancellationToken) is not { } input)
        {
            // Deleted while the batch was waiting to be taken up again: it ends with what it has.
            return done.Count == batch.RequestCounts.Total;
        }

        await using (input)
        {
            LogBegun(logger, batch.Id, batch.RequestCounts.Total, done.Count, term);
            using var work = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var watching = WatchAsync(tenant, batch, tally, work);
            try
            {
                await using var recorder = new BatchRecorder((sequence, results) => parts.WriteAsync(tenant, batch.Id, term, sequence, results, CancellationToken.None));
                await lines.RunAsync(tenant, batch, input, done, async result =>
                {
                    await recorder.RecordAsync(result);
                    tally.Add(result);
                }, work.Token);
                return true;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // The batch was cancelled, or its window has ended: it ends with what it has.
                return false;
            }
            finally
            {
                await work.CancelAsync();
                await watching;
            }
        }
    }

    /// <summary>Shows how far the batch is, and stops the work when it was cancelled or its window ends.</summary>
    private async Task WatchAsync(string tenant, OpenAiBatch batch, BatchTally tally, CancellationTokenSource work)
    {
        var shown = batch.RequestCounts;
        while (!work.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(options.Value.Poll, time, work.Token);
                var current = await batches.UpdateAsync(tenant, batch.Id, current =>
                    tally.ShowIn(current.Shown) is var counted && counted.RequestCounts != shown && current.CanBeCancelled ? current with { Shown = counted } : null);
                shown = current?.Shown.RequestCounts ?? shown;
                if (current?.Shown.Status != OpenAiBatchStatus.InProgress || time.GetUtcNow().ToUnixTimeSeconds() >= batch.ExpiresAt)
                {
                    await work.CancelAsync();
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (StorageUnavailableException)
            {
                // The lease tells for how long the work may go on without Redis.
            }
        }
    }

    [LoggerMessage(70, LogLevel.Information, "Batch {BatchId} runs: {Total} requests, of which {Done} are done, under term {Term}")]
    private static partial void LogBegun(ILogger logger, string batchId, int total, int done, long term);

    [LoggerMessage(71, LogLevel.Information, "Batch {BatchId} is {Status}: {Completed} requests were answered and {Failed} failed, of {Total}")]
    private static partial void LogEnded(ILogger logger, string batchId, string status, int completed, int failed, int total);
}
