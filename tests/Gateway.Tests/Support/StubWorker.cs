using System.Net;
using System.Threading.Channels;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Tests.Support;

/// <summary>A decode worker over real HTTP/2 whose every answer is a script of the test.</summary>
internal sealed class StubWorker : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<CompletionRequest> _requests = Channel.CreateUnbounded<CompletionRequest>();

    private StubWorker(string id, WebApplication app)
    {
        Id = id;
        _app = app;
    }

    public string Id { get; }

    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>What a request is answered with.</summary>
    public Func<StubExchange, Task> Script { get; set; } = exchange => exchange.AnswerAsync("The capital", " of France", " is Paris.");

    /// <summary>The Authorization header of the last request.</summary>
    public string? Authorization { get; private set; }

    public int RequestCount { get; private set; }

    public static async Task<StubWorker> StartAsync(string id)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        var app = builder.Build();
        var worker = new StubWorker(id, app);
        app.MapPost(InternalApi.CompletionsRoute, worker.AnswerAsync);
        await app.StartAsync();
        return worker;
    }

    public WorkerRegistration Registration(params ServedModel[] models) => Workers.Decode(Id, Address, models);

    /// <summary>The next request that has not been looked at.</summary>
    public async Task<CompletionRequest> RequestAsync() => await _requests.Reader.ReadAsync(TestTime.Limit());

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        now.Cancel();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var request = CompletionRequest.Parser.ParseFrom(body.ToArray());
        Authorization = context.Request.Headers.Authorization;
        RequestCount++;
        _requests.Writer.TryWrite(request);
        await Script(new StubExchange(context, request, Id));
    }
}
