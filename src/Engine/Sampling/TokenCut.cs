namespace Serving.Engine.Sampling;

/// <summary>
/// Where the order of tokens (weight descending, then id ascending) is cut off: this token and those before it may be drawn. Every filter
/// that keeps the likeliest tokens yields one, and the tightest counts.
/// </summary>
/// <param name="Weight">Weight of the last token kept.</param>
/// <param name="TokenId">Id of the last token kept.</param>
internal readonly record struct TokenCut(float Weight, int TokenId)
{
    /// <summary>Keeps every token that has a weight.</summary>
    public static TokenCut None { get; } = new(0, -1);

    public bool Keeps(float weight, int tokenId) => weight > Weight || (weight == Weight && tokenId <= TokenId);
}
