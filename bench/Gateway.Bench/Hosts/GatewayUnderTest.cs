using Serving.Contracts.Cluster;
using Serving.ServiceDefaults.Security;
using Serving.Storage.Documents;
using Serving.Storage.Leases;
using Serving.Storage.Tests.Support;

namespace Serving.Gateway.Bench.Hosts;

/// <summary>The real gateway before a cluster that is one stub; in the place of Redis is memory.</summary>
internal static class GatewayUnderTest
{
    public static async Task RunAsync(string workerUrl)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("serving-gateway-bench-");
        try
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.Configuration.AddInMemoryCollection(
                [new("Gateway:Listen", "http://127.0.0.1:0"), new("Gateway:WarmUpRoundsMax", "0"), new("Storage:Folder", folder.FullName)]);
            builder.Services.AddSingleton<IClusterView>(new OneWorkerCluster(workerUrl));
            builder.Services.AddSingleton(new ClusterSecret(new byte[32]));
            builder.Services.AddSingleton<IDocumentStore>(new MemoryDocumentStore(TimeProvider.System));
            builder.Services.AddSingleton<ILeaseStore>(new MemoryLeaseStore(TimeProvider.System));
            builder.AddGateway();
            var app = builder.Build();
            app.MapGateway();
            await app.RunAsChildAsync();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private sealed class OneWorkerCluster(string url) : IClusterView
    {
        public event Action? Changed
        {
            add { }
            remove { }
        }

        public ClusterSnapshot Current { get; } = new([Entry("decode-1", WorkerRole.Decode, url), Entry("prefill-1", WorkerRole.Prefill, url)]);

        private static WorkerEntry Entry(string id, WorkerRole role, string url)
        {
            ServedModel model = new(Comparison.Model, "kv0123456789abcdef", 2048, DateTimeOffset.UnixEpoch, "HuggingFaceTB", EmbeddingWidth: 576);
            return new WorkerEntry(new WorkerRegistration(id, role, url, [model], 1, DateTimeOffset.UnixEpoch, Draining: false), new WorkerLoad(id, 0, 0, 0, 0, 100));
        }
    }
}
