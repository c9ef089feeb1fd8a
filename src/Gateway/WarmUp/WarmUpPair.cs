using Serving.Contracts.Cluster;

namespace Serving.Gateway.WarmUp;

/// <summary>A decode and a prefill worker that can hand over a model's KV cache to each other.</summary>
internal sealed record WarmUpPair(ServedModel Model, string DecodeWorkerId, string PrefillWorkerId)
{
    /// <summary>The next pair with a worker in it that is not warm for its model; null when all that have a partner are warm.</summary>
    public static WarmUpPair? Next(ClusterSnapshot cluster, WarmState state)
    {
        foreach (var (decode, model) in Serving(cluster, WorkerRole.Decode))
        {
            foreach (var (prefill, same) in Serving(cluster, WorkerRole.Prefill))
            {
                if (same.Name == model.Name
                    && same.KvFingerprint == model.KvFingerprint
                    && !(state.IsWarm(model.Name, decode.Id) && state.IsWarm(model.Name, prefill.Id)))
                {
                    return new WarmUpPair(model, decode.Id, prefill.Id);
                }
            }
        }

        return null;
    }

    private static IEnumerable<(WorkerRegistration Worker, ServedModel Model)> Serving(ClusterSnapshot cluster, WorkerRole role) =>
        from worker in cluster.Workers
        where worker.Registration.Role == role && !worker.Registration.Draining
        from model in worker.Registration.Models
        select (worker.Registration, model);
}
