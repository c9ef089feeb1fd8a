using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Serving.ServiceDefaults.Cluster;

internal static class InternalAddress
{
    public static bool TryParse(string host, [NotNullWhen(true)] out IPAddress? address)
    {
        address = string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback : null;
        return address is not null || IPAddress.TryParse(host, out address);
    }

    /// <summary><c>http://host:port</c>, with an IPv6 address in brackets.</summary>
    public static string Format(string host, int port)
    {
        var isIPv6 = IPAddress.TryParse(host, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;
        return isIPv6 ? $"http://[{address}]:{port}" : $"http://{host}:{port}";
    }
}
