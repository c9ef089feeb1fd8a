using System.ComponentModel.DataAnnotations;

namespace Serving.Storage.Configuration;

/// <summary>Operator input of what is stored: the configuration section <c>Storage</c>.</summary>
public sealed class StorageOptions
{
    public const string Section = "Storage";

    /// <summary>
    /// The folder of files' and answers' contents; all gateways share it. Default: none, and then files, batches and stored answers are refused
    /// with 503. <c>serving up</c> takes <c>stored</c> in its data folder.
    /// </summary>
    public string? Folder { get; set; }

    /// <summary>Bytes that one tenant may store. Default: 10 GiB.</summary>
    [Range(0, long.MaxValue)]
    public long TenantBytesMax { get; set; } = 10L << 30;

    /// <summary>Files, batches and stored answers that one tenant may have. Default: 100,000.</summary>
    [Range(0, long.MaxValue)]
    public long TenantObjectsMax { get; set; } = 100_000;

    /// <summary>Days after which what is stored goes, unless its request asks for less. Default: 30.</summary>
    [Range(1, 30)]
    public int RetentionDays { get; set; } = 30;

    /// <summary>The largest file in bytes; a larger one is refused with 413. Default: 512 MiB.</summary>
    [Range(1024, 1L << 40)]
    public long FileBytesMax { get; set; } = 512L << 20;

    /// <summary>Seconds between two looks for what has expired; it is out of sight on time all the same. Default: 600.</summary>
    [Range(1, 86_400)]
    public int SweepSeconds { get; set; } = 600;

    /// <summary>How long things are kept that say nothing of it.</summary>
    public TimeSpan Retention => TimeSpan.FromDays(RetentionDays);
}
