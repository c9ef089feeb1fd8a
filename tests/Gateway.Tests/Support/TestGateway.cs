using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serving.Contracts.Cluster;
using Serving.ServiceDefaults.Security;
using Serving.Storage.Documents;
using Serving.Storage.Leases;
using Serving.Storage.Tests.Support;

namespace Serving.Gateway.Tests.Support;

/// <summary>The real gateway on a free loopback port, before a cluster of stubs.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly DirectoryInfo _folder;

    private TestGateway(WebApplication app, DirectoryInfo folder, FakeClusterView cluster)
    {
        _app = app;
        _folder = folder;
        Cluster = cluster;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = Address, Timeout = TestTime.LimitTime };
    }

    public static ClusterSecret Secret { get; } = new(new byte[32]);

    public FakeClusterView Cluster { get; }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>What stands for Redis.</summary>
    public MemoryDocumentStore Documents => (MemoryDocumentStore)_app.Services.GetRequiredService<IDocumentStore>();

    /// <summary>Without warm-up, unless the settings ask for it.</summary>
    public static async Task<TestGateway> StartAsync(FakeClusterView cluster, params (string Key, string Value)[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("serving-gateway-");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(
            [new("Gateway:Listen", "http://127.0.0.1:0"), new("Gateway:WarmUpRoundsMax", "0"), new("Storage:Folder", Path.Combine(folder.FullName, "stored"))]);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        builder.Services.AddSingleton<IClusterView>(cluster);
        builder.Services.AddSingleton(Secret);
        builder.Services.AddSingleton<IDocumentStore>(new MemoryDocumentStore(TimeProvider.System));
        builder.Services.AddSingleton<ILeaseStore>(new MemoryLeaseStore(TimeProvider.System));
        builder.AddGateway();
        var app = builder.Build();
        app.MapGateway();
        await app.StartAsync();
        return new TestGateway(app, folder, cluster);
    }

    /// <summary>Everything that lies in the folder of stored things.</summary>
    public string[] StoredFiles() => Directory.GetFiles(_folder.FullName, "*", SearchOption.AllDirectories);

    /// <summary>A gateway before one prefill worker and the given decode workers.</summary>
    public static Task<TestGateway> BeforeAsync(params StubWorker[] workers)
    {
        var cluster = new FakeClusterView();
        cluster.Add(Workers.Prefill("prefill-1"));
        cluster.Add([.. workers.Select(worker => worker.Registration())]);
        return StartAsync(cluster);
    }

    public Task<HttpResponseMessage> ChatAsync(string body, HttpCompletionOption until = HttpCompletionOption.ResponseContentRead) =>
        SendAsync(HttpMethod.Post, "/v1/chat/completions", body, until: until);

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        string? body = null,
        Action<HttpRequestHeaders>? headers = null,
        HttpCompletionOption until = HttpCompletionOption.ResponseContentRead)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        headers?.Invoke(request.Headers);
        return await Client.SendAsync(request, until, TestTime.Limit());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        using var now = new CancellationTokenSource();
        now.Cancel();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
