using Serving.Contracts.Cluster;
using Serving.Gateway.Placement;
using Serving.Gateway.WarmUp;
using Serving.Policies.Placement;

namespace Serving.Gateway.Health;

/// <summary>Whether a request for any known model would be served now, by both phases' workers, and fast.</summary>
internal sealed class Readiness(KnownModels known, IClusterView cluster, WarmState warm)
{
    public ReadyReport Check()
    {
        var models = known.Current.Models;
        var current = cluster.Current;
        List<string> missing = models.Count == 0
            ? ["no worker has registered a model yet"]
            : [.. models.SelectMany(model => model.Kind == ModelKind.Embedding ? MissingEmbedder(current, model.Name) : Missing(current, model.Name))];
        return new ReadyReport(missing.Count == 0 ? "ready" : "not_ready", [.. models.Select(model => model.Name)], missing);
    }

    private static IEnumerable<string> MissingEmbedder(ClusterSnapshot current, string model) =>
        Serving(current, WorkerRole.Prefill, model).Count == 0 ? [$"{model}: no prefill worker is ready"] : [];

    private IEnumerable<string> Missing(ClusterSnapshot current, string model)
    {
        var decodes = Serving(current, WorkerRole.Decode, model);
        var prefills = Serving(current, WorkerRole.Prefill, model);
        if (decodes.Count == 0)
        {
            yield return $"{model}: no decode worker is ready";
        }

        if (prefills.Count == 0)
        {
            yield return $"{model}: no prefill worker is ready";
        }

        if (decodes.Count > 0 && prefills.Count > 0 && !decodes.Overlaps(prefills))
        {
            yield return $"{model}: the prefill and the decode workers have different KV fingerprints";
        }

        if (!warm.IsWarm(model))
        {
            yield return $"{model}: the warm-up has not passed yet";
        }
    }

    /// <summary>The KV fingerprints with which workers of a role serve the model.</summary>
    private static HashSet<string> Serving(ClusterSnapshot current, WorkerRole role, string model) =>
    [
        .. from worker in current.Workers
           where worker.Registration.Role == role && !worker.Registration.Draining
           from served in worker.Registration.Models
           where served.Name == model
           select served.KvFingerprint,
    ];
}
