using System.ComponentModel.DataAnnotations;

namespace Serving.Transfer;

/// <summary>Limits of the KV data plane. The defaults suit workers in one data centre.</summary>
public sealed class KvTransferOptions
{
    /// <summary>Longest that a handshake may take, connecting included. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")]
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest silence inside a transfer; its whole length is not limited. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:10:00")]
    public TimeSpan ProgressTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a lease waits for its sender before it expires; <see cref="KvLease.Renew"/> starts it anew. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")]
    public TimeSpan LeaseTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a sender keeps a connection that it does not use. A receiver waits twice as long, so that the sender lets go first. Default 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Most connections that a receiver serves, and most that a sender uses at once; more senders wait. Default 64.</summary>
    [Range(1, 4096)]
    public int ConnectionsMax { get; set; } = 64;

    /// <summary>Most connections that have not proved the key yet; a receiver closes further ones at once. Default 16.</summary>
    [Range(1, 4096)]
    public int UnauthenticatedConnectionsMax { get; set; } = 16;
}
