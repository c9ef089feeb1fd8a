namespace Serving.Storage.Documents;

/// <summary>
/// JSON documents by tenant, kind and name. An expired document does not exist for any call but <see cref="ExpiredAsync"/> and
/// <see cref="RemoveAsync"/>. What a call has changed when it returns outlives the end of this process and of Redis.
/// </summary>
/// <remarks>Every call throws <see cref="StorageUnavailableException"/> while Redis is away.</remarks>
public interface IDocumentStore
{
    /// <param name="quota">Null: it is counted, but never refused.</param>
    Task<AddResult> AddAsync(Document document, TenantUsage? quota);

    /// <summary>Null: there is none.</summary>
    Task<Document?> GetAsync(DocumentKey key);

    /// <summary>Replaces the JSON of a document that nobody has changed since it was read.</summary>
    /// <returns>False: somebody has, or it is gone.</returns>
    Task<bool> UpdateAsync(Document read, ReadOnlyMemory<byte> json);

    /// <summary>Makes a document expire now, so that nobody sees it while its contents go.</summary>
    /// <returns>False: there is none.</returns>
    Task<bool> ExpireAsync(DocumentKey key);

    /// <summary>Removes all that is known of a document, expired or not, and gives its room back.</summary>
    Task RemoveAsync(DocumentKey key);

    /// <summary>The documents of a kind after a name, in the order of their names, as many as there are up to a limit.</summary>
    Task<IReadOnlyList<Document>> ListAsync(string tenant, string kind, PageRequest page);

    Task<TenantUsage> UsageAsync(string tenant);

    /// <summary>Documents of all tenants whose time has come, and of which something is left.</summary>
    Task<IReadOnlyList<DocumentKey>> ExpiredAsync(int limit);
}
