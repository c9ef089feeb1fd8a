using System.ComponentModel.DataAnnotations;

namespace Serving.Gateway.Configuration;

/// <summary>Operator input of the gateway: the configuration section <c>Gateway</c>.</summary>
public sealed class GatewayOptions
{
    public const string Section = "Gateway";

    /// <summary>
    /// <c>http://address:port</c> to listen on. Default: <c>http://127.0.0.1:8080</c>. An address that other machines can reach needs
    /// <see cref="ApiKeyFile"/>. TLS is ended in front of the gateway.
    /// </summary>
    [Required]
    public string Listen { get; set; } = "http://127.0.0.1:8080";

    /// <summary>A file with one API key a line; <c>#</c> begins a comment. Default: none, which only a loopback address allows.</summary>
    public string? ApiKeyFile { get; set; }

    /// <summary>Web origins whose pages may use the API: <c>https://chat.example</c>. Default: none.</summary>
    public IList<string> CorsOrigins { get; } = [];

    /// <summary>Other names for served models: alias → model. Default: none.</summary>
    public IDictionary<string, string> ModelAliases { get; } = new Dictionary<string, string>();

    /// <summary>The largest JSON body in bytes; a larger one is refused with 413. Default: 4 MiB.</summary>
    [Range(1024, 1 << 30)]
    public int BodyBytesMax { get; set; } = 4 << 20;

    /// <summary>
    /// Seconds that a request waits for a worker of a known model when none is there, because it restarts or loads. Then 503.
    /// Default: 15.
    /// </summary>
    [Range(0, 600)]
    public double WorkerWaitSecondsMax { get; set; } = 15;

    /// <summary>
    /// Seconds that a model stays known (503 and a wait instead of 404) after its last worker has gone. Default: 120.
    /// </summary>
    [Range(0, 86400)]
    public double ModelMemorySecondsMax { get; set; } = 120;

    /// <summary>
    /// Seconds without a byte from the worker after which a request ends. Default: 0, which is never: a long prompt is silent and
    /// whether the worker lives is asked with HTTP/2 pings instead.
    /// </summary>
    [Range(0, 86400)]
    public double SilenceSecondsMax { get; set; }

    /// <summary>
    /// Seconds without an event after which a stream sends a comment, so that nothing on the way takes the connection for dead. A stream whose first event takes longer
    /// begins with one: its status is 200 then, whatever follows. 0: never, headers wait for the first event. Default: 15.
    /// </summary>
    [Range(0, 86400)]
    public double KeepAliveSeconds { get; set; } = 15;

    /// <summary>
    /// The most rounds of warm-up requests for a pair of workers; rounds end earlier once they get no faster. 0: no warm-up. Default: 8.
    /// </summary>
    [Range(0, 1000)]
    public int WarmUpRoundsMax { get; set; } = 8;
}
