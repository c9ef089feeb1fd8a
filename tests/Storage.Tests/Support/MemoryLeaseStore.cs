using Serving.Storage.Leases;

namespace Serving.Storage.Tests.Support;

/// <summary>Leases in memory; DocumentStoreTests holds it to the same contract as the real one.</summary>
internal sealed class MemoryLeaseStore(TimeProvider time) : ILeaseStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (string Holder, DateTimeOffset EndsAt)> _leases = [];
    private readonly Dictionary<string, long> _terms = [];

    /// <summary>True: no lease is renewed, as if Redis were away.</summary>
    public bool IsAway { get; set; }

    public Task<long?> TakeAsync(string name, string holder, TimeSpan duration)
    {
        lock (_gate)
        {
            if (HolderOf(name) is not null)
            {
                return Task.FromResult<long?>(null);
            }

            _leases[name] = (holder, time.GetUtcNow() + duration);
            _terms[name] = _terms.GetValueOrDefault(name) + 1;
            return Task.FromResult<long?>(_terms[name]);
        }
    }

    public Task<bool> RenewAsync(string name, string holder, TimeSpan duration)
    {
        if (IsAway)
        {
            return Task.FromException<bool>(new StorageUnavailableException("Redis is away."));
        }

        lock (_gate)
        {
            var isHolder = HolderOf(name) == holder;
            if (isHolder)
            {
                _leases[name] = (holder, time.GetUtcNow() + duration);
            }

            return Task.FromResult(isHolder);
        }
    }

    public Task ReleaseAsync(string name, string holder)
    {
        lock (_gate)
        {
            if (HolderOf(name) == holder)
            {
                _leases.Remove(name);
            }

            return Task.CompletedTask;
        }
    }

    private string? HolderOf(string name) => _leases.TryGetValue(name, out var lease) && lease.EndsAt > time.GetUtcNow() ? lease.Holder : null;
}
