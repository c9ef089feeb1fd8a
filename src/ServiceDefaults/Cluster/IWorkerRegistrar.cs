using Serving.Contracts.Cluster;

namespace Serving.ServiceDefaults.Cluster;

/// <summary>
/// Keeps this worker in the cluster's registry. Calls return at once and never fail: a background loop writes, renews the lease,
/// registers anew when the lease was lost, and removes the worker when the host stops. Safe from any thread.
/// </summary>
public interface IWorkerRegistrar
{
    /// <summary>Registers the worker, or replaces its registration; the first call starts the lease.</summary>
    void Publish(WorkerRegistration registration);

    /// <summary>Sends the load, the newest only if calls come faster than Redis takes them. It is repeated once a second.</summary>
    void Report(WorkerLoad load);

    /// <summary>Marks the worker as draining. Called by itself when the host begins to stop.</summary>
    void Drain();
}
