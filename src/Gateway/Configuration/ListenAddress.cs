using System.Net;

namespace Serving.Gateway.Configuration;

/// <summary>Where the gateway listens, from <c>http://address:port</c>.</summary>
/// <param name="Address">The address to bind; <c>localhost</c> is 127.0.0.1.</param>
/// <param name="Port">0: any free port.</param>
internal sealed record ListenAddress(IPAddress Address, int Port)
{
    public bool IsLoopback => IPAddress.IsLoopback(Address);

    /// <summary>An address at which the gateway reaches itself.</summary>
    public Uri Self(int boundPort)
    {
        var reachable = Address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
            : Address;
        return new UriBuilder(Uri.UriSchemeHttp, reachable.ToString(), boundPort).Uri;
    }

    /// <summary>Null when <paramref name="text"/> is not such an address.</summary>
    public static ListenAddress? Parse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri)
            || uri.Scheme != Uri.UriSchemeHttp
            || uri.PathAndQuery != "/"
            || uri.UserInfo.Length > 0)
        {
            return null;
        }

        if (uri.DnsSafeHost == "localhost")
        {
            return new ListenAddress(IPAddress.Loopback, uri.Port);
        }

        return IPAddress.TryParse(uri.DnsSafeHost, out var address) ? new ListenAddress(address, uri.Port) : null;
    }
}
