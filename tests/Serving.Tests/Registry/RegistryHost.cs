using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serving.Contracts.Cluster;
using Serving.ServiceDefaults.Cluster;
using Serving.ServiceDefaults.Hosting;
using Serving.ServiceDefaults.Security;

namespace Serving.Serving.Tests.Registry;

/// <summary>A host that registers itself and sees the cluster, with a lease of one second.</summary>
internal sealed class RegistryHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TemporaryFolder _folder;

    private RegistryHost(WebApplication app, TemporaryFolder folder)
    {
        _app = app;
        _folder = folder;
    }

    public IWorkerRegistrar Registrar => _app.Services.GetRequiredService<IWorkerRegistrar>();

    public IClusterView View => _app.Services.GetRequiredService<IClusterView>();

    public static async Task<RegistryHost> StartAsync(string redis)
    {
        var folder = new TemporaryFolder();
        ClusterSecret.CreateFile(folder.File("secret"));
        var builder = WebApplication.CreateSlimBuilder([$"--Cluster:Redis={redis}", $"--Cluster:SecretFile={folder.File("secret")}", "--Cluster:LeaseSeconds=1"]);
        builder.AddServiceDefaults("test");
        builder.UseInternalEndpoint();
        builder.Services.AddWorkerRegistrar().AddClusterView();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new RegistryHost(app, folder);
    }

    /// <summary>Waits for a state that a change of the view brings about.</summary>
    public async Task SeesAsync(Func<ClusterSnapshot, bool> isExpected, string what)
    {
        var changed = new SemaphoreSlim(0);
        void OnChanged() => changed.Release();
        View.Changed += OnChanged;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(20));
            while (!isExpected(View.Current))
            {
                await changed.WaitAsync(limit.Token);
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"Did not see {what}; saw {string.Join(", ", View.Current.Workers)}");
        }
        finally
        {
            View.Changed -= OnChanged;
        }
    }

    public Task StopAsync() => _app.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _folder.Dispose();
    }
}
