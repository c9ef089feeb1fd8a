using System.Net;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serving.Contracts.Internal;

namespace Serving.Worker.Tests.HandOff;

/// <summary>A prefill worker that says at once that it is done, and sends nothing.</summary>
internal sealed class LyingPeer : PrefillService.PrefillServiceBase
{
    public static async Task<WebApplication> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        WebApplication app = builder.Build();
        app.MapGrpcService<LyingPeer>();
        await app.StartAsync();
        return app;
    }

    public override Task Prefill(PrefillRequest request, IServerStreamWriter<PrefillEvent> responseStream, ServerCallContext context) =>
        responseStream.WriteAsync(new PrefillEvent { Done = new PrefillDone() });
}
