using System.ComponentModel.DataAnnotations;

namespace Serving.ServiceDefaults.Cluster;

/// <summary>How a host takes part in the cluster; configuration section <c>Cluster</c> (<c>Cluster__Redis</c> as an environment variable).</summary>
public sealed class ClusterOptions
{
    public const string Section = "Cluster";

    /// <summary>StackExchange.Redis connection string of the shared state: <c>127.0.0.1:6379,password=…</c>. No default.</summary>
    [Required(ErrorMessage = "Cluster:Redis is missing: set it to the Redis to use, for example 127.0.0.1:6379 (environment: Cluster__Redis).")]
    public string Redis { get; set; } = "";

    /// <summary>True when Redis asks for the password that is derived from the cluster secret, as the embedded one does. Default: false.</summary>
    public bool RedisPasswordFromSecret { get; set; }

    /// <summary>The file with the cluster secret, readable by its owner only. No default; <c>serving up</c> makes one.</summary>
    [Required(ErrorMessage = "Cluster:SecretFile is missing: set it to the cluster's secret file (environment: Cluster__SecretFile).")]
    public string SecretFile { get; set; } = "";

    /// <summary>The IP address that the internal API listens on, or <c>localhost</c>. Default: 127.0.0.1.</summary>
    [Required]
    public string ListenHost { get; set; } = "127.0.0.1";

    /// <summary>The host name or address that other hosts reach this one at. Default: <see cref="ListenHost"/>.</summary>
    public string? AdvertiseHost { get; set; }

    /// <summary>The internal API's port; 0 takes any free one. Default: 0.</summary>
    [Range(0, 65_535)]
    public int Port { get; set; }

    /// <summary>True for a supervised process: it stops when its standard input ends, and leaves Ctrl-C to the supervisor. Default: false.</summary>
    public bool StopWithParent { get; set; }

    /// <summary>Longest time in seconds from the order to stop to the end of the process; requests under way may use all but the last second. Default: 10.</summary>
    [Range(2, 3_600)]
    public int StopSecondsMax { get; set; } = 10;

    /// <summary>Seconds after which a worker that no longer renews its registration is taken for dead. Default: 5.</summary>
    [Range(1, 300)]
    public int LeaseSeconds { get; set; } = 5;

    internal TimeSpan Lease => TimeSpan.FromSeconds(LeaseSeconds);

    /// <summary>Leases are renewed at a third of their time, so that one lost renewal costs nothing, and loads are sent at least once a second.</summary>
    internal TimeSpan RenewalInterval => TimeSpan.FromSeconds(Math.Min(1.0, LeaseSeconds / 3.0));
}
