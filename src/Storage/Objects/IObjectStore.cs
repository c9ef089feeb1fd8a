namespace Serving.Storage.Objects;

/// <summary>
/// Contents by name, written once and whole. The calls are those that a folder and an S3 bucket both have: there is no appending and no locking.
/// </summary>
public interface IObjectStore
{
    /// <summary>Does nothing where objects can be written.</summary>
    /// <exception cref="StorageUnavailableException">The store cannot be reached or is not set up.</exception>
    ValueTask CheckAsync();

    /// <exception cref="StorageUnavailableException">The store cannot be reached or is not set up.</exception>
    /// <exception cref="IOException">There is no room, or the disk fails.</exception>
    ValueTask<ObjectWriter> CreateAsync(ObjectKey key, CancellationToken cancellationToken);

    /// <summary>A stream that knows its length and can be sought in; null: there is no such object.</summary>
    /// <exception cref="StorageUnavailableException">The store cannot be reached or is not set up.</exception>
    ValueTask<Stream?> OpenAsync(ObjectKey key, CancellationToken cancellationToken);

    /// <summary>False: there was none.</summary>
    /// <exception cref="StorageUnavailableException">The store cannot be reached or is not set up.</exception>
    ValueTask<bool> DeleteAsync(ObjectKey key, CancellationToken cancellationToken);

    /// <summary>The objects whose names begin with these segments, in the order of their names.</summary>
    /// <param name="prefix">Whole segments; the default value stands for all objects.</param>
    /// <exception cref="StorageUnavailableException">The store cannot be reached or is not set up.</exception>
    IAsyncEnumerable<StoredObject> ListAsync(ObjectKey prefix, CancellationToken cancellationToken);

    /// <summary>Removes what writers that never ended left behind, if it is older than <paramref name="age"/>.</summary>
    ValueTask RemoveAbandonedAsync(TimeSpan age, CancellationToken cancellationToken);
}
