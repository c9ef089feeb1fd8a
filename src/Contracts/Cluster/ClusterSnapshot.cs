namespace Serving.Contracts.Cluster;

/// <summary>The workers whose leases were alive when it was taken, with their last load reports. Immutable: readers keep it as long as they like.</summary>
public sealed record ClusterSnapshot(IReadOnlyList<WorkerEntry> Workers)
{
    public static ClusterSnapshot Empty { get; } = new([]);
}

/// <summary>One live worker; <paramref name="Load"/> is null until its first report.</summary>
public sealed record WorkerEntry(WorkerRegistration Registration, WorkerLoad? Load);

/// <summary>What every host knows of the cluster. When Redis is away, the last known state stays.</summary>
public interface IClusterView
{
    ClusterSnapshot Current { get; }

    /// <summary>Raised after <see cref="Current"/> has changed, on an arbitrary thread.</summary>
    event Action? Changed;
}
