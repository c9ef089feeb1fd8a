namespace Serving.Storage.Documents;

/// <summary>Which part of a list is asked for.</summary>
/// <param name="Limit">The most entries.</param>
/// <param name="After">The name after which the page begins, whether there is still such a thing or not; null: the list's beginning.</param>
/// <param name="Descending">The newest first.</param>
public sealed record PageRequest(int Limit, string? After = null, bool Descending = false);
