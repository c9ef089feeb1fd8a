using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serving.ServiceDefaults.Hosting;
using Serving.ServiceDefaults.Security;
using Serving.ServiceDefaults.Telemetry;

namespace Serving.ServiceDefaults.Tests;

/// <summary>A host with an internal API on a free port, and no Redis.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;

    private TestHost(WebApplication app, TemporaryFolder folder)
    {
        App = app;
        _folder = folder;
    }

    public WebApplication App { get; }

    public string Address => App.Services.GetInternalAddress();

    public ClusterSecret Secret => App.Services.GetRequiredService<ClusterSecret>();

    public static async Task<TestHost> StartAsync(params string[] arguments)
    {
        var folder = new TemporaryFolder();
        ClusterSecret.CreateFile(folder.File("secret"));
        var app = Build(["--Cluster:Redis=127.0.0.1:1", $"--Cluster:SecretFile={folder.File("secret")}", .. arguments]);
        app.UseInternalAuthentication();
        app.MapMetrics();
        app.MapGet("/hello", () => "hello");
        await app.StartAsync();
        return new TestHost(app, folder);
    }

    public static WebApplication Build(string[] arguments)
    {
        var builder = WebApplication.CreateSlimBuilder(arguments);
        builder.AddServiceDefaults("test");
        builder.UseInternalEndpoint();
        builder.Logging.ClearProviders();
        return builder.Build();
    }

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        _folder.Dispose();
    }
}
