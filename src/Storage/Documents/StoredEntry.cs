namespace Serving.Storage.Documents;

/// <summary>A stored thing as it was read.</summary>
/// <param name="ExpiresAt">After this it is gone.</param>
public sealed record StoredEntry<T>(string Id, T Value, DateTimeOffset ExpiresAt)
    where T : class;
