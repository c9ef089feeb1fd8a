using System.ComponentModel.DataAnnotations;

namespace Serving.Gateway.Batches;

/// <summary>Operator input of batches: the configuration section <c>Batch</c>.</summary>
public sealed class BatchOptions
{
    public const string Section = "Batch";

    /// <summary>Requests of batches that this gateway has under way at once, all batches together. They give way to every other request. Default: 8.</summary>
    [Range(1, 4096)]
    public int RequestsAtOnceMax { get; set; } = 8;

    /// <summary>Batches that this gateway runs at once; the others wait. Default: 4.</summary>
    [Range(1, 1024)]
    public int BatchesAtOnceMax { get; set; } = 4;

    /// <summary>Requests that one batch may have. Default: 50,000, as at OpenAI.</summary>
    [Range(1, 10_000_000)]
    public int RequestsMax { get; set; } = 50_000;

    /// <summary>The largest input file in bytes. Default: 200 MiB.</summary>
    [Range(1024, 1L << 40)]
    public long InputBytesMax { get; set; } = 200L << 20;

    /// <summary>Seconds after which another gateway takes a batch over whose gateway has died. Default: 15.</summary>
    [Range(1, 3600)]
    public int LeaseSeconds { get; set; } = 15;

    /// <summary>Seconds between two looks for batches to run, and for orders to cancel one. Default: 1.</summary>
    [Range(0.05, 60)]
    public double PollSeconds { get; set; } = 1;

    internal TimeSpan Lease => TimeSpan.FromSeconds(LeaseSeconds);

    internal TimeSpan Poll => TimeSpan.FromSeconds(PollSeconds);
}
