using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Serving.ServiceDefaults.Cluster;

namespace Serving.ServiceDefaults.Hosting;

/// <summary>The port of a host's internal API: HTTP/2 without TLS, on <see cref="ClusterOptions.ListenHost"/>.</summary>
public static class InternalEndpoint
{
    /// <summary>Lets Kestrel listen for the internal API, and on nothing else.</summary>
    public static WebApplicationBuilder UseInternalEndpoint(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var section = builder.Configuration.GetSection(ClusterOptions.Section);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            // Runs while the host is built, before its options are validated: the start that reports a mistake never gets to listen.
            var host = section[nameof(ClusterOptions.ListenHost)] ?? new ClusterOptions().ListenHost;
            var address = InternalAddress.TryParse(host, out var parsed) ? parsed : IPAddress.Loopback;
            var port = ushort.TryParse(section[nameof(ClusterOptions.Port)], CultureInfo.InvariantCulture, out var given) ? given : 0;

            kestrel.AddServerHeader = false;
            // The peer is a gateway whose client may read slowly; the gateway decides when that is enough.
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1_000;
            kestrel.Listen(address, port, listen => listen.Protocols = HttpProtocols.Http2);
        });
        return builder;
    }

    /// <summary><c>http://host:port</c> under which others reach this host's internal API. Known once the server has started.</summary>
    /// <exception cref="InvalidOperationException">The server has not started.</exception>
    public static string GetInternalAddress(this IServiceProvider services)
    {
        var addresses = services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses;
        var bound = addresses?.FirstOrDefault() ?? throw new InvalidOperationException("The server does not listen yet.");
        var options = services.GetRequiredService<IOptions<ClusterOptions>>().Value;
        var host = string.IsNullOrEmpty(options.AdvertiseHost) ? options.ListenHost : options.AdvertiseHost;
        return InternalAddress.Format(host, new Uri(bound).Port);
    }
}
