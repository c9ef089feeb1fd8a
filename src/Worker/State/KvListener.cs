using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Serving.ServiceDefaults.Cluster;
using Serving.Transfer;

namespace Serving.Worker.State;

/// <summary>Opens the KV data plane of a worker that receives, before anyone can find the worker.</summary>
internal sealed class KvListener(KvReceiver receiver, IOptions<ClusterOptions> cluster, IOptions<WorkerOptions> worker) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        receiver.Start(cluster.Value.ListenHost, worker.Value.KvPort);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
