namespace Serving.Contracts.OpenAI;

/// <summary>A page of a list.</summary>
/// <param name="FirstId">The id of its first entry; empty where there is none.</param>
/// <param name="LastId">The id of its last entry, after which the next page begins; empty where there is none.</param>
public sealed record OpenAiList<T>(IReadOnlyList<T> Data, string FirstId, string LastId, bool HasMore)
{
    public string Object { get; } = "list";
}
