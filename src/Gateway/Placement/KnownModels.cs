using Microsoft.Extensions.Options;
using Serving.Contracts.Cluster;
using Serving.Gateway.Configuration;
using Serving.Router.Catalog;

namespace Serving.Gateway.Placement;

/// <summary>
/// The models that clients may name. A model whose workers have all gone stays known for a while: they restart, so its requests wait
/// or are told to come back instead of hearing that there is no such model. Thread-safe.
/// </summary>
internal sealed class KnownModels : IDisposable
{
    private readonly Lock _lock = new();
    private readonly IClusterView _cluster;
    private readonly TimeProvider _time;
    private readonly TimeSpan _memory;
    private readonly Dictionary<string, Gone> _gone = [];
    private ClusterSnapshot? _seen;
    private ModelCatalog _live = ModelCatalog.Empty;
    private ModelCatalog _known = ModelCatalog.Empty;

    public KnownModels(IClusterView cluster, TimeProvider time, IOptions<GatewayOptions> options)
    {
        _cluster = cluster;
        _time = time;
        _memory = TimeSpan.FromSeconds(options.Value.ModelMemorySecondsMax);
        _cluster.Changed += Follow;
    }

    public ModelCatalog Current
    {
        get
        {
            lock (_lock)
            {
                Update();
                return _known;
            }
        }
    }

    public void Dispose() => _cluster.Changed -= Follow;

    /// <summary>Looks at every change, so that a model's time to be forgotten begins when it goes and not when somebody asks.</summary>
    private void Follow() => _ = Current;

    private void Update()
    {
        var cluster = _cluster.Current;
        var forgotten = Forget();
        if (ReferenceEquals(cluster, _seen) && !forgotten)
        {
            return;
        }

        var live = ModelCatalog.Of(cluster);
        foreach (var model in _live.Models)
        {
            _gone[model.Name] = new Gone(model, _time.GetTimestamp());
        }

        foreach (var model in live.Models)
        {
            _gone.Remove(model.Name);
        }

        (_seen, _live) = (cluster, live);
        _known = _gone.Count == 0 ? live : ModelCatalog.Of(live.Models.Concat(_gone.Values.Select(gone => gone.Model)));
    }

    private bool Forget()
    {
        var forgotten = false;
        foreach (var (name, gone) in _gone)
        {
            if (_time.GetElapsedTime(gone.At) > _memory)
            {
                forgotten |= _gone.Remove(name);
            }
        }

        return forgotten;
    }

    private readonly record struct Gone(ServedModel Model, long At);
}
