using System.Collections.Concurrent;

namespace Serving.Gateway.WarmUp;

/// <summary>What has been warmed up since the gateway started. Written by <see cref="WarmUpService"/>, read by readiness.</summary>
internal sealed class WarmState
{
    private readonly ConcurrentDictionary<(string Model, string WorkerId), bool> _workers = new();
    private readonly ConcurrentDictionary<string, bool> _models = new();

    /// <summary>Once true it stays: workers that come later are warmed beside the traffic, and the gateway's own path is warm.</summary>
    public bool IsWarm(string model) => _models.ContainsKey(model);

    public bool IsWarm(string model, string workerId) => _workers.ContainsKey((model, workerId));

    public void Add(WarmUpPair pair)
    {
        _workers[(pair.Model.Name, pair.DecodeWorkerId)] = true;
        _workers[(pair.Model.Name, pair.PrefillWorkerId)] = true;
        _models[pair.Model.Name] = true;
    }

    /// <summary>Forgets workers that have gone; their ids never come back.</summary>
    public void KeepOnly(IReadOnlySet<string> workerIds)
    {
        foreach (var key in _workers.Keys)
        {
            if (!workerIds.Contains(key.WorkerId))
            {
                _workers.TryRemove(key, out _);
            }
        }
    }
}
