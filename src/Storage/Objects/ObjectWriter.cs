namespace Serving.Storage.Objects;

/// <summary>An object that is being written. It is there only once it was committed; one that is disposed before leaves nothing.</summary>
public abstract class ObjectWriter : IAsyncDisposable
{
    /// <summary>What is written here becomes the object's contents.</summary>
    public abstract Stream Stream { get; }

    /// <summary>Makes the object be there, whole, in place of an older one of its name. When this returns it outlives the machine's end.</summary>
    public abstract ValueTask CommitAsync(CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
