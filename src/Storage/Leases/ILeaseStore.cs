namespace Serving.Storage.Leases;

/// <summary>Work that one of several processes does at a time: whoever holds its lease, until the lease's time ends.</summary>
/// <remarks>Every call throws <see cref="StorageUnavailableException"/> while Redis is away.</remarks>
public interface ILeaseStore
{
    /// <returns>The lease's term, which grows with each holder; null: another one holds it.</returns>
    Task<long?> TakeAsync(string name, string holder, TimeSpan duration);

    /// <returns>False: it ended, and perhaps another one holds it.</returns>
    Task<bool> RenewAsync(string name, string holder, TimeSpan duration);

    /// <summary>Gives the lease back, if the holder has it.</summary>
    Task ReleaseAsync(string name, string holder);
}
