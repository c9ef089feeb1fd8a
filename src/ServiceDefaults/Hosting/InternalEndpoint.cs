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
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            var options = kestrel.ApplicationServices.GetRequiredService<IOptions<ClusterOptions>>().Value;
            if (!InternalAddress.TryParse(options.ListenHost, out var address))
            {
                throw new StartupException($"Cluster:ListenHost '{options.ListenHost}' is not an IP address.");
            }

            kestrel.AddServerHeader = false;
            // The peer is a gateway whose client may read slowly; the gateway decides when that is enough.
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1_000;
            kestrel.Listen(address, options.Port, listen => listen.Protocols = HttpProtocols.Http2);
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
