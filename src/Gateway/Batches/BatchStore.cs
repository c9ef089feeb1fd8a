using Serving.Contracts.OpenAI;
using Serving.Gateway.Http;
using Serving.Storage;
using Serving.Storage.Documents;

namespace Serving.Gateway.Batches;

/// <summary>The batches of all tenants, and which of them have not ended.</summary>
internal sealed class BatchStore(StorageServices storage, TimeProvider time)
{
    /// <summary>No tenant's name: those are hexadecimal, or empty.</summary>
    private const string Queue = "queue";
    private const int OpenMax = 1000;

    /// <summary>The time that creating a batch takes at most.</summary>
    private static readonly TimeSpan _creatingTimeMax = TimeSpan.FromMinutes(5);

    private readonly DocumentCollection<BatchRecord> _batches = new("batch", BatchJson.Default.BatchRecord, storage);
    private readonly DocumentCollection<OpenBatch> _open = new("open-batch", BatchJson.Default.OpenBatch, storage);

    public string NewId() => StoreId.New("batch_", time.GetUtcNow());

    /// <summary>Adds a batch, which whoever runs batches finds from then on.</summary>
    /// <returns>Why it cannot be added; null: it was.</returns>
    public async Task<ApiError?> AddAsync(string tenant, BatchRecord batch)
    {
        if (await _batches.CheckRoomAsync(tenant, 0) is { } exceeded)
        {
            return ApiError.NoRoom(exceeded);
        }

        // First the entry in the queue: of an interruption in between stays an entry without a batch, never a batch that nobody finds.
        var (id, now) = (batch.Shown.Id, time.GetUtcNow());
        var expiresAt = now + storage.Retention;
        await _open.AddAsync(Queue, id, new OpenBatch(tenant, now), expiresAt, isForced: true);
        await _batches.AddAsync(tenant, id, batch, expiresAt, isForced: true);
        return null;
    }

    /// <summary>Null: the tenant has no such batch.</summary>
    public async Task<BatchRecord?> GetAsync(string tenant, string id) => (await _batches.GetAsync(tenant, id))?.Value;

    /// <summary>Changes a batch, whoever else does at the same time.</summary>
    /// <param name="change">Null: leave it as it is.</param>
    /// <returns>What it is afterwards; null: the tenant has no such batch.</returns>
    public async Task<BatchRecord?> UpdateAsync(string tenant, string id, Func<BatchRecord, BatchRecord?> change) =>
        (await _batches.UpdateAsync(tenant, id, change))?.Value;

    /// <summary>The newest first.</summary>
    public Task<DocumentPage<BatchRecord>> ListAsync(string tenant, PageRequest page) => _batches.ListAsync(tenant, page);

    /// <summary>The batches that have not ended, the oldest first.</summary>
    public async Task<IReadOnlyList<(string Id, OpenBatch Batch)>> OpenAsync() =>
        [.. (await _open.ListAsync(Queue, new PageRequest(OpenMax))).Entries.Select(entry => (entry.Id, entry.Value))];

    /// <summary>Takes a batch that has ended, or that there is none of, out of the queue.</summary>
    public async Task CloseAsync(string id, OpenBatch batch)
    {
        if (await GetAsync(batch.Tenant, id) is not null || time.GetUtcNow() - batch.CreatedAt > _creatingTimeMax)
        {
            await _open.DeleteAsync(Queue, id);
        }
    }
}
