using Microsoft.Extensions.Hosting;
using Serving.ServiceDefaults.Cluster;
using Serving.Worker.Embeddings;
using Serving.Worker.Models;

namespace Serving.Worker.State;

/// <summary>Lets the worker be found once it can serve, and tells the cluster of every change of its load.</summary>
internal sealed class WorkerPresence(ModelHost models, WorkerStatus status, IWorkerRegistrar registrar) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await models.Ready.WaitAsync(stoppingToken);
        foreach (ModelRuntime model in models.Models)
        {
            model.Engine.LoadChanged += Report;
        }

        foreach (SentenceEmbedder embedder in models.Embedders)
        {
            embedder.Queue.LoadChanged += Report;
        }

        Report();
        registrar.Publish(status.Registration());
    }

    private void Report() => registrar.Report(status.Load());
}
