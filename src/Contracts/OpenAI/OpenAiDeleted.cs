namespace Serving.Contracts.OpenAI;

/// <summary>The answer to a deletion.</summary>
/// <param name="Object">What was deleted: <c>file</c>.</param>
public sealed record OpenAiDeleted(string Id, string Object)
{
    public bool Deleted { get; } = true;
}
