namespace Serving.Storage.Documents;

/// <summary>A stored JSON document.</summary>
/// <param name="Bytes">What it takes of its tenant's quota.</param>
/// <param name="Version">Counts the changes.</param>
public sealed record Document(DocumentKey Key, ReadOnlyMemory<byte> Json, long Bytes, DateTimeOffset ExpiresAt, long Version);
