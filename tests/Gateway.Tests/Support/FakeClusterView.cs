using Serving.Contracts.Cluster;

namespace Serving.Gateway.Tests.Support;

/// <summary>A cluster that the test changes.</summary>
internal sealed class FakeClusterView : IClusterView
{
    private readonly Lock _lock = new();

    public event Action? Changed;

    public ClusterSnapshot Current { get; private set; } = ClusterSnapshot.Empty;

    public void Add(params WorkerRegistration[] workers) =>
        Set(Current.Workers.Concat(workers.Select(worker => new WorkerEntry(worker, new WorkerLoad(worker.Id, 0, 0, 0, 0, 100)))));

    public void Remove(string workerId) => Set(Current.Workers.Where(worker => worker.Registration.Id != workerId));

    private void Set(IEnumerable<WorkerEntry> workers)
    {
        lock (_lock)
        {
            Current = new ClusterSnapshot([.. workers]);
        }

        Changed?.Invoke();
    }
}
