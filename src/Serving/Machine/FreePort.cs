using System.Net;
using System.Net.Sockets;

namespace Serving.Cli.Machine;

internal static class FreePort
{
    /// <summary>A loopback port that was free a moment ago; who uses it must be ready to find it taken.</summary>
    public static int Find()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
