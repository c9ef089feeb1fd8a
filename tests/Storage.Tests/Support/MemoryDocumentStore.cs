using Serving.Storage;
using Serving.Storage.Documents;

namespace Serving.Storage.Tests.Support;

/// <summary>Documents in memory, for tests that need no Redis; DocumentStoreTests holds it to the same contract as the real one.</summary>
internal sealed class MemoryDocumentStore(TimeProvider time) : IDocumentStore
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, Document> _documents = new(StringComparer.Ordinal);

    /// <summary>True: every call fails, as if Redis were away.</summary>
    public bool IsAway { get; set; }

    /// <summary>Calls that succeed before one fails, and then all do again; below 0: none fails.</summary>
    public int CallsToFailure { get; set; } = -1;

    public Task<AddResult> AddAsync(Document document, TenantUsage? quota) => Run(() =>
    {
        if (_documents.ContainsKey(Name(document.Key)))
        {
            return AddResult.Exists;
        }

        var usage = Usage(document.Key.Tenant);
        if (quota is { } most && !new TenantUsage(usage.Bytes + document.Bytes, usage.Objects + 1).IsWithin(most))
        {
            return AddResult.QuotaExceeded;
        }

        _documents.Add(Name(document.Key), document with { ExpiresAt = Milliseconds(document.ExpiresAt) });
        return AddResult.Added;
    });

    public Task<Document?> GetAsync(DocumentKey key) => Run(() => Live(key));

    public Task<bool> UpdateAsync(Document read, ReadOnlyMemory<byte> json) => Run(() =>
    {
        if (!_documents.TryGetValue(Name(read.Key), out var document) || document.Version != read.Version)
        {
            return false;
        }

        _documents[Name(read.Key)] = document with { Json = json.ToArray(), Version = document.Version + 1 };
        return true;
    });

    public Task<bool> ExpireAsync(DocumentKey key) => Run(() =>
    {
        if (Live(key) is not { } document)
        {
            return false;
        }

        _documents[Name(key)] = document with { ExpiresAt = DateTimeOffset.UnixEpoch };
        return true;
    });

    public Task RemoveAsync(DocumentKey key) => Run(() => _documents.Remove(Name(key)));

    public Task<IReadOnlyList<Document>> ListAsync(string tenant, string kind, PageRequest page) => Run<IReadOnlyList<Document>>(() =>
    {
        var documents = _documents.Values.Where(document => document.Key.Tenant == tenant && document.Key.Kind == kind);
        if (page.Descending)
        {
            documents = documents.Reverse();
        }

        return [.. documents
            .Where(document => Live(document.Key) is not null
                && (page.After is null || (page.Descending ? -1 : 1) * string.CompareOrdinal(document.Key.Id, page.After) > 0))
            .Take(page.Limit)];
    });

    public Task<TenantUsage> UsageAsync(string tenant) => Run(() => Usage(tenant));

    public Task<IReadOnlyList<DocumentKey>> ExpiredAsync(int limit) => Run<IReadOnlyList<DocumentKey>>(
        () => [.. _documents.Values.Where(document => document.ExpiresAt <= time.GetUtcNow()).Select(document => document.Key).Take(limit)]);

    private Document? Live(DocumentKey key) =>
        _documents.TryGetValue(Name(key), out var document) && document.ExpiresAt > time.GetUtcNow() ? document : null;

    private TenantUsage Usage(string tenant)
    {
        var own = _documents.Values.Where(document => document.Key.Tenant == tenant).ToList();
        return new TenantUsage(own.Sum(document => document.Bytes), own.Count);
    }

    private Task<T> Run<T>(Func<T> call)
    {
        if (IsAway)
        {
            return Task.FromException<T>(new StorageUnavailableException("Redis is away."));
        }

        lock (_gate)
        {
            return CallsToFailure-- == 0 ? Task.FromException<T>(new StorageUnavailableException("Redis was away for a moment.")) : Task.FromResult(call());
        }
    }

    private static string Name(DocumentKey key) => $"{key.Tenant}/{key.Kind}/{key.Id}";

    private static DateTimeOffset Milliseconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds());
}
