using System.Diagnostics;
using System.Net;
using Yarp.ReverseProxy.Forwarder;

namespace Serving.Gateway.Bench.Hosts;

/// <summary>YARP's forwarder and nothing else.</summary>
internal static class ProxyHost
{
    public static async Task RunAsync(string target)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddHttpForwarder();
        var app = builder.Build();
        using HttpMessageInvoker client = new(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            ActivityHeadersPropagator = new ReverseProxyPropagator(DistributedContextPropagator.Current),
        });
        var forwarder = app.Services.GetRequiredService<IHttpForwarder>();
        app.Map("/{**all}", async context => await forwarder.SendAsync(context, target, client));
        await app.RunAsChildAsync();
    }
}
