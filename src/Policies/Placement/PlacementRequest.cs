namespace Serving.Policies.Placement;

/// <summary>What phase placement needs to know of a request.</summary>
/// <param name="Model">The served model's name, already resolved.</param>
/// <param name="PromptTokensEstimate">The prompt's length, estimated: nobody has tokenised it yet.</param>
public sealed record PlacementRequest(string Model, int PromptTokensEstimate)
{
    /// <summary>Ids of workers that have already failed this request.</summary>
    public IReadOnlyCollection<string> ExcludedWorkers { get; init; } = [];

    /// <summary>The one decode worker that may be chosen; null: any.</summary>
    public string? DecodeWorkerPinned { get; init; }

    /// <summary>The one prefill worker that may be chosen; null: any.</summary>
    public string? PrefillWorkerPinned { get; init; }
}
