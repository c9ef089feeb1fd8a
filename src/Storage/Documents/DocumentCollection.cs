using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Serving.Storage.Objects;

namespace Serving.Storage.Documents;

/// <summary>
/// Stored things of one kind: what is looked up and listed is a JSON document, and their contents, where they have some, an object. Contents
/// are there before their document is, and go after it has gone out of sight, so that whatever is interrupted leaves nothing half.
/// </summary>
/// <param name="kind">The collection's name in keys: lower-case letters and hyphens.</param>
public sealed class DocumentCollection<T>(string kind, JsonTypeInfo<T> type, StorageServices storage)
    where T : class
{
    /// <summary>At most this many documents are read at once.</summary>
    private const int ChunkMax = 200;

    private readonly IDocumentStore _documents = storage.Documents;
    private readonly IObjectStore _objects = storage.Objects;

    /// <summary>Null where the tenant has room for this much more, else what it has and may have.</summary>
    /// <exception cref="StorageUnavailableException">Redis is away, or no folder is set up: then nothing could be stored.</exception>
    public async Task<QuotaExceeded?> CheckRoomAsync(string tenant, long bytes)
    {
        await _objects.CheckAsync();
        var usage = await _documents.UsageAsync(tenant);
        return new TenantUsage(usage.Bytes + bytes, usage.Objects + 1).IsWithin(storage.Quota) ? null : new QuotaExceeded(usage, storage.Quota);
    }

    /// <summary>Begins a thing's contents, which <see cref="AddAsync"/> makes visible once they were committed.</summary>
    public ValueTask<ObjectWriter> CreateContentsAsync(string tenant, string id, CancellationToken cancellationToken) =>
        _objects.CreateAsync(Key(tenant, id).Contents, cancellationToken);

    /// <summary>Writes a thing's contents whole; <see cref="AddAsync"/> makes them visible.</summary>
    public async Task WriteContentsAsync(string tenant, string id, ReadOnlyMemory<byte> contents, CancellationToken cancellationToken)
    {
        await using var writer = await CreateContentsAsync(tenant, id, cancellationToken);
        await writer.Stream.WriteAsync(contents, cancellationToken);
        await writer.CommitAsync(cancellationToken);
    }

    /// <summary>Adds a thing. Where that is refused for want of room, its contents go.</summary>
    /// <param name="contentsBytes">How long its contents are; they count.</param>
    /// <param name="isForced">True: it is counted, but there is always room for it.</param>
    public async Task<AddResult> AddAsync(string tenant, string id, T value, DateTimeOffset expiresAt, long contentsBytes = 0, bool isForced = false)
    {
        var json = Json(value);
        var document = new Document(Key(tenant, id), json, json.Length + contentsBytes, expiresAt, Version: 0);
        var result = await _documents.AddAsync(document, isForced ? null : storage.Quota);
        if (result == AddResult.QuotaExceeded)
        {
            await _objects.DeleteAsync(document.Key.Contents, CancellationToken.None);
        }

        return result;
    }

    /// <summary>Null: the tenant has no such thing.</summary>
    public async Task<StoredEntry<T>?> GetAsync(string tenant, string id) =>
        StoreId.IsValid(id) && await _documents.GetAsync(Key(tenant, id)) is { } document ? Entry(document) : null;

    /// <summary>A thing's contents; null: there are none.</summary>
    public async Task<Stream?> OpenContentsAsync(string tenant, string id, CancellationToken cancellationToken) =>
        await GetAsync(tenant, id) is null ? null : await _objects.OpenAsync(Key(tenant, id).Contents, cancellationToken);

    /// <summary>A thing's contents, whole; null: there are none.</summary>
    public async Task<byte[]?> ReadContentsAsync(string tenant, string id, CancellationToken cancellationToken) =>
        await GetAsync(tenant, id) is { } entry ? await ReadContentsAsync(tenant, entry, cancellationToken) : null;

    /// <summary>The contents of a thing that has been looked up, whole; null: there are none.</summary>
    public async Task<byte[]?> ReadContentsAsync(string tenant, StoredEntry<T> entry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        await using var stream = await _objects.OpenAsync(Key(tenant, entry.Id).Contents, cancellationToken);
        if (stream is null)
        {
            return null;
        }

        var contents = new byte[stream.Length];
        await stream.ReadExactlyAsync(contents, cancellationToken);
        return contents;
    }

    /// <summary>Changes a thing, whoever else changes it at the same time.</summary>
    /// <param name="change">Is called with what is there, again if that was changed meanwhile; null: leave it as it is.</param>
    /// <returns>What is there afterwards; null: the tenant has no such thing.</returns>
    public async Task<StoredEntry<T>?> UpdateAsync(string tenant, string id, Func<T, T?> change)
    {
        while (StoreId.IsValid(id) && await _documents.GetAsync(Key(tenant, id)) is { } document)
        {
            var entry = Entry(document);
            if (change(entry.Value) is not { } changed)
            {
                return entry;
            }

            if (await _documents.UpdateAsync(document, Json(changed)))
            {
                return entry with { Value = changed };
            }
        }

        return null;
    }

    /// <returns>False: the tenant has no such thing.</returns>
    public async Task<bool> DeleteAsync(string tenant, string id)
    {
        if (!StoreId.IsValid(id) || !await _documents.ExpireAsync(Key(tenant, id)))
        {
            return false;
        }

        await storage.RemoveAsync(Key(tenant, id), CancellationToken.None);
        return true;
    }

    /// <summary>A page of a tenant's things, in the order of their names, which <see cref="StoreId"/> makes the order of their creation.</summary>
    /// <param name="filter">Null: all.</param>
    public async Task<DocumentPage<T>> ListAsync(string tenant, PageRequest page, Func<T, bool>? filter = null)
    {
        var entries = new List<StoredEntry<T>>();
        var after = page.After;
        while (true)
        {
            // One more than is asked for, which tells whether there are more.
            var missing = page.Limit + 1 - entries.Count;
            var chunk = filter is null ? Math.Min(missing, ChunkMax) : ChunkMax;
            var documents = await _documents.ListAsync(tenant, kind, page with { After = after, Limit = chunk });
            foreach (var entry in documents.Select(Entry).Where(entry => filter is null || filter(entry.Value)))
            {
                if (entries.Count == page.Limit)
                {
                    return new DocumentPage<T>(entries, HasMore: true);
                }

                entries.Add(entry);
            }

            if (documents.Count < chunk)
            {
                return new DocumentPage<T>(entries, HasMore: false);
            }

            after = documents[^1].Key.Id;
        }
    }

    private DocumentKey Key(string tenant, string id) => new(tenant, kind, id);

    private byte[] Json(T value) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    private StoredEntry<T> Entry(Document document) =>
        new(document.Key.Id, JsonSerializer.Deserialize(document.Json.Span, type)!, document.ExpiresAt);
}
