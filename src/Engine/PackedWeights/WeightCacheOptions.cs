namespace Serving.Engine.PackedWeights;

/// <summary>Where packed weights are kept, and how many.</summary>
public sealed record WeightCacheOptions
{
    /// <summary>The folder; it is made if it is missing. Processes of one machine that name the same one share their weights' pages.</summary>
    public required string Folder { get; init; }

    /// <summary>Most bytes of all its files together; what is longest unused goes first, what a process maps never. Default: 32 GiB.</summary>
    public long BytesMax { get; init; } = 32L << 30;

    /// <summary>How long to wait while another process packs; then weights are packed into memory. Default: 5 minutes.</summary>
    public TimeSpan WaitMax { get; init; } = TimeSpan.FromMinutes(5);
}
