using Microsoft.Extensions.Options;
using Serving.Storage.Configuration;
using Serving.Storage.Documents;
using Serving.Storage.Objects;

namespace Serving.Storage;

/// <summary>What collections of stored things share.</summary>
public sealed class StorageServices(IDocumentStore documents, IObjectStore objects, IOptions<StorageOptions> options)
{
    public IDocumentStore Documents => documents;

    public IObjectStore Objects => objects;

    /// <summary>How long a stored thing lives, where nothing else is said.</summary>
    public TimeSpan Retention => options.Value.Retention;

    /// <summary>What one tenant may store.</summary>
    public TenantUsage Quota { get; } = new(options.Value.TenantBytesMax, options.Value.TenantObjectsMax);

    /// <summary>
    /// Removes what is left of a document that nobody sees any more. Its contents go first: whatever interrupts this, the document is still
    /// among the expired ones, and the next sweep goes on.
    /// </summary>
    public async Task RemoveAsync(DocumentKey key, CancellationToken cancellationToken)
    {
        await objects.DeleteAsync(key.Contents, cancellationToken);
        await documents.RemoveAsync(key);
    }
}
