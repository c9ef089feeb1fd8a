namespace Serving.Engine.Models.Blocks;

/// <summary>Norms of queries and keys before they are turned.</summary>
internal enum QueryKeyNorm
{
    None,

    /// <summary>Each head by itself, all with one weight.</summary>
    PerHead,

    /// <summary>All heads of a row together.</summary>
    WholeRow,
}

/// <summary>In what a family's attention differs from the plain form.</summary>
internal sealed record AttentionOptions
{
    /// <summary>How queries and keys are turned; null: not at all.</summary>
    public RopeSpec? Rope { get; init; }

    public QueryKeyNorm Norm { get; init; }

    /// <summary>What scores are multiplied with; null: <c>1 / √headDim</c>.</summary>
    public float? Scale { get; init; }

    /// <summary>Tokens that a token sees, itself among them; 0: all.</summary>
    public int Window { get; init; }

    /// <summary>Where queries, keys and values are cut off on both sides; 0: nowhere.</summary>
    public float Clip { get; init; }

    /// <summary>Whether the softmax has a sink for each head.</summary>
    public bool HasSinks { get; init; }

    /// <summary>The norm of what attention adds, or null.</summary>
    public string? PostNorm { get; init; }
}
