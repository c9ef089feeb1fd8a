using Serving.Contracts.Cluster;

namespace Serving.Policies.Placement;

/// <summary>
/// What has been placed on each worker since its last load report. Without it every request of a burst would join the queue that was
/// the shortest when the burst began. Not thread-safe.
/// </summary>
internal sealed class UnreportedLoad
{
    private readonly Dictionary<string, Placed> _placed = [];

    public void Add(WorkerEntry worker, long promptTokens)
    {
        var before = Of(worker);
        _placed[worker.Registration.Id] = new Placed(worker.Load, before.Sequences + 1, before.PromptTokens + promptTokens);
    }

    public long Sequences(WorkerEntry worker) => Of(worker).Sequences;

    public long PromptTokens(WorkerEntry worker) => Of(worker).PromptTokens;

    /// <summary>Drops the workers that have gone, so that the table stays as large as the cluster.</summary>
    public void Forget(ClusterSnapshot cluster)
    {
        if (_placed.Count <= cluster.Workers.Count)
        {
            return;
        }

        var alive = cluster.Workers.Select(worker => worker.Registration.Id).ToHashSet();
        foreach (var id in _placed.Keys.Where(id => !alive.Contains(id)).ToArray())
        {
            _placed.Remove(id);
        }
    }

    /// <summary>A new report counts what was placed before it, so the entry of an older report is void.</summary>
    private Placed Of(WorkerEntry worker) =>
        _placed.TryGetValue(worker.Registration.Id, out var placed) && ReferenceEquals(placed.Report, worker.Load) ? placed : default;

    private readonly record struct Placed(WorkerLoad? Report, long Sequences, long PromptTokens);
}
