namespace Serving.Storage.Documents;

/// <summary>A part of a list.</summary>
/// <param name="HasMore">There are more behind it.</param>
public sealed record DocumentPage<T>(IReadOnlyList<StoredEntry<T>> Entries, bool HasMore)
    where T : class;
