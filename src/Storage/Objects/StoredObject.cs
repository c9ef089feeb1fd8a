namespace Serving.Storage.Objects;

/// <summary>An object that is there.</summary>
/// <param name="Bytes">Its length.</param>
/// <param name="WrittenAt">When it was committed.</param>
public readonly record struct StoredObject(ObjectKey Key, long Bytes, DateTimeOffset WrittenAt);
