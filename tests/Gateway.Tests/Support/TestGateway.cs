using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;
using Serving.Gateway.Batches;
using Serving.Gateway.Http;
using Serving.ServiceDefaults.Security;
using Serving.Storage.Documents;
using Serving.Storage.Leases;
using Serving.Storage.Tests.Support;

namespace Serving.Gateway.Tests.Support;

/// <summary>The real gateway on a free loopback port, before a cluster of stubs.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TestStorage _storage;
    private readonly bool _ownsStorage;

    private TestGateway(WebApplication app, TestStorage storage, bool ownsStorage, FakeClusterView cluster)
    {
        _app = app;
        _storage = storage;
        _ownsStorage = ownsStorage;
        Cluster = cluster;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Client = new HttpClient(new AnswerCheck(new SocketsHttpHandler { UseProxy = false })) { BaseAddress = Address, Timeout = TestTime.LimitTime };
    }

    /// <summary>The header of each answer with the fields of the request's JSON that were looked for.</summary>
    public const string AskedFields = "x-test-asked-fields";

    public static ClusterSecret Secret { get; } = new(new byte[32]);

    public FakeClusterView Cluster { get; }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>What stands for Redis.</summary>
    public MemoryDocumentStore Documents => _storage.Documents;

    /// <summary>Without warm-up, unless the settings ask for it.</summary>
    public static Task<TestGateway> StartAsync(FakeClusterView cluster, params (string Key, string Value)[] settings) =>
        StartAsync(cluster, new TestStorage(), ownsStorage: true, settings);

    /// <summary>The same with a storage that outlives it.</summary>
    public static Task<TestGateway> StartAsync(FakeClusterView cluster, TestStorage storage, params (string Key, string Value)[] settings) =>
        StartAsync(cluster, storage, ownsStorage: false, settings);

    private static async Task<TestGateway> StartAsync(FakeClusterView cluster, TestStorage storage, bool ownsStorage, (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(
            [new("Gateway:Listen", "http://127.0.0.1:0"), new("Gateway:WarmUpRoundsMax", "0"), new("Storage:Folder", Path.Combine(storage.Folder, "stored"))]);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        builder.Services.AddSingleton<IClusterView>(cluster);
        builder.Services.AddSingleton(Secret);
        builder.Services.AddSingleton<TimeProvider>(storage.Time);
        builder.Services.AddSingleton<IDocumentStore>(storage.Documents);
        builder.Services.AddSingleton<ILeaseStore>(storage.Leases);
        builder.AddGateway();
        var app = builder.Build();
        app.Use(TellAskedFields);
        app.MapGateway();
        await app.StartAsync();
        return new TestGateway(app, storage, ownsStorage, cluster);
    }

    /// <summary>Everything that lies in the folder of stored things.</summary>
    public string[] StoredFiles() => Directory.GetFiles(_storage.Folder, "*", SearchOption.AllDirectories);

    /// <summary>A gateway before one prefill worker and the given decode workers.</summary>
    public static Task<TestGateway> BeforeAsync(params StubWorker[] workers)
    {
        var cluster = new FakeClusterView();
        cluster.Add(Workers.Prefill("prefill-1"));
        cluster.Add([.. workers.Select(worker => worker.Registration())]);
        return StartAsync(cluster);
    }

    /// <summary>What a worker is asked after a request that a route answers with 200.</summary>
    public static async Task<CompletionRequest> AskedAsync(string route, string body)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await BeforeAsync(worker);
        using var response = await gateway.SendAsync(HttpMethod.Post, route, body);
        Assert.True(response.StatusCode == HttpStatusCode.OK, await response.Content.ReadAsStringAsync(TestTime.Limit()));
        return await worker.RequestAsync();
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
        var response = await Client.SendAsync(request, until, TestTime.Limit());
        if (until == HttpCompletionOption.ResponseContentRead)
        {
            await AnswerCheck.StreamAsync(response);
        }

        return response;
    }

    private static Task TellAskedFields(HttpContext context, RequestDelegate next)
    {
        var log = new FieldLog();
        context.Features.Set(log);
        context.Response.OnStarting(() =>
        {
            context.Response.Headers[AskedFields] = string.Join(',', log.Names);
            return Task.CompletedTask;
        });
        return next(context);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        using var now = new CancellationTokenSource();
        now.Cancel();
        await _app.StopAsync(now.Token);
        // A stop that waits for nothing does not wait for batches either, and they write into the folder.
        try
        {
            await (_app.Services.GetRequiredService<BatchRunner>().ExecuteTask ?? Task.CompletedTask).WaitAsync(TestTime.LimitTime);
        }
        catch (OperationCanceledException)
        {
            // It was stopped before it had begun.
        }

        await _app.DisposeAsync();
        if (_ownsStorage)
        {
            _storage.Dispose();
        }
    }
}
