using Serving.Contracts.OpenAI;
using Serving.Gateway.Files;
using Serving.Storage.Objects;

namespace Serving.Gateway.Batches;

/// <summary>
/// Ends a batch: every line of its input goes to the file of answers or to that of errors, once. Interrupted anywhere and done again it writes the
/// same files under the same ids.
/// </summary>
internal sealed class BatchEnd(BatchStore batches, BatchLines lines, BatchParts parts, FileStore files, TimeProvider time)
{
    /// <returns>The batch at its end; null: it is gone.</returns>
    /// <param name="hasAll">Every line has a result.</param>
    public async Task<BatchRecord?> WriteAsync(string tenant, string id, bool hasAll, CancellationToken cancellationToken)
    {
        if (await BeginAsync(tenant, id, hasAll) is not { } ending)
        {
            return null;
        }

        var (done, tally) = (new HashSet<int>(), new BatchTally());
        await using var output = new Lines(await files.CreateAsync(tenant, ending.OutputId!, cancellationToken));
        await using var errors = new Lines(await files.CreateAsync(tenant, ending.ErrorId!, cancellationToken));
        await foreach (var result in parts.ReadAsync(tenant, ending.Shown.Id, cancellationToken))
        {
            done.Add(result.Number);
            tally.Add(result);
            await (result.IsError ? errors : output).AddAsync(result, cancellationToken);
        }

        await AddRestAsync(tenant, ending, done, errors, cancellationToken);
        var outputId = await KeepAsync(tenant, ending, ending.OutputId!, output, "output", cancellationToken);
        var errorId = await KeepAsync(tenant, ending, ending.ErrorId!, errors, "error", cancellationToken);
        return await batches.UpdateAsync(tenant, ending.Shown.Id, current => current.HasEnded ? null : current with
        {
            Shown = Stamp(tally.ShowIn(current.Shown) with { Status = ending.Ending!, OutputFileId = outputId, ErrorFileId = errorId }),
        });
    }

    /// <summary>Decides how the batch ends, and names its files.</summary>
    private Task<BatchRecord?> BeginAsync(string tenant, string id, bool hasAll)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        return batches.UpdateAsync(tenant, id, current =>
        {
            if (current.Ending is not null)
            {
                return null;
            }

            var isCancelled = current.Shown.Status == OpenAiBatchStatus.Cancelling;
            return current with
            {
                Ending = isCancelled ? OpenAiBatchStatus.Cancelled
                    : hasAll ? OpenAiBatchStatus.Completed
                    : now >= current.Shown.ExpiresAt ? OpenAiBatchStatus.Expired
                    : OpenAiBatchStatus.Failed,
                OutputId = files.NewId(),
                ErrorId = files.NewId(),
                Shown = isCancelled ? current.Shown : current.Shown with { Status = OpenAiBatchStatus.Finalizing, FinalizingAt = now },
            };
        });
    }

    /// <summary>The lines that were not run, each with the reason.</summary>
    private async Task AddRestAsync(string tenant, BatchRecord ending, HashSet<int> done, Lines errors, CancellationToken cancellationToken)
    {
        var (code, message) = ending.Ending switch
        {
            OpenAiBatchStatus.Cancelled => ("batch_cancelled", "This request was not run, because the batch was cancelled."),
            OpenAiBatchStatus.Expired => ("batch_expired", "This request was not run before the batch's completion window ended."),
            _ => ("batch_failed", "This request was not run, because the batch's input could not be read to its end."),
        };
        await using var input = await files.OpenAsync(tenant, ending.Shown.InputFileId, cancellationToken);
        if (input is null)
        {
            return;
        }

        await foreach (var line in lines.ReadAsync(ending.Shown, input, done))
        {
            using (line)
            {
                await errors.AddAsync(BatchResult.NotRun(line, lines.NewRequestId(), code, message), cancellationToken);
            }
        }
    }

    /// <summary>The file's id; null where there is nothing for it.</summary>
    private async Task<string?> KeepAsync(string tenant, BatchRecord ending, string id, Lines contents, string what, CancellationToken cancellationToken)
    {
        if (contents.Bytes == 0)
        {
            return null;
        }

        await contents.Writer.CommitAsync(cancellationToken);
        await files.AddAsync(
            tenant, id, $"{ending.Shown.Id}_{what}.jsonl", FileStore.BatchOutputPurpose, contents.Bytes, TimeSpan.FromSeconds(ending.OutputLifeSeconds), isForced: true);
        return id;
    }

    private OpenAiBatch Stamp(OpenAiBatch batch)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        return batch.Status switch
        {
            OpenAiBatchStatus.Cancelled => batch with { CancelledAt = now },
            OpenAiBatchStatus.Expired => batch with { ExpiredAt = now },
            OpenAiBatchStatus.Failed => batch with
            {
                FailedAt = now,
                Errors = new OpenAiBatchErrors([new OpenAiBatchError("input_file_missing", "The input file was deleted before the batch had ended.", "input_file_id", null)]),
            },
            _ => batch with { CompletedAt = now },
        };
    }

    /// <summary>A file that is being written line by line.</summary>
    private sealed class Lines(ObjectWriter writer) : IAsyncDisposable
    {
        private static readonly byte[] _end = "\n"u8.ToArray();

        public ObjectWriter Writer => writer;

        public long Bytes { get; private set; }

        public async Task AddAsync(BatchResult result, CancellationToken cancellationToken)
        {
            await writer.Stream.WriteAsync(result.Json, cancellationToken);
            await writer.Stream.WriteAsync(_end, cancellationToken);
            Bytes += result.Json.Length + 1;
        }

        public ValueTask DisposeAsync() => writer.DisposeAsync();
    }
}
