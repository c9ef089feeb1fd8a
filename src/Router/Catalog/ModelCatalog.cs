using System.Collections.Frozen;
using Serving.Contracts.Cluster;

namespace Serving.Router.Catalog;

/// <summary>The models that the cluster serves at one moment, by name. Immutable.</summary>
public sealed class ModelCatalog
{
    private readonly FrozenDictionary<string, ServedModel> _models;

    private ModelCatalog(FrozenDictionary<string, ServedModel> models)
    {
        _models = models;
        Models = [.. models.Values.OrderBy(model => model.Name, StringComparer.Ordinal)];
    }

    public static ModelCatalog Empty { get; } = new(FrozenDictionary<string, ServedModel>.Empty);

    /// <summary>In the order of their names.</summary>
    public IReadOnlyList<ServedModel> Models { get; }

    /// <summary>
    /// A model is in the catalogue while a worker that is not draining serves it, in either role. Where workers differ (an update rolls
    /// through the cluster) the newest file describes the model.
    /// </summary>
    public static ModelCatalog Of(ClusterSnapshot cluster) => Of(
        cluster.Workers.Where(worker => !worker.Registration.Draining).SelectMany(worker => worker.Registration.Models));

    public static ModelCatalog Of(IEnumerable<ServedModel> models) => new(
        models.GroupBy(model => model.Name).Select(same => same.MaxBy(model => model.CreatedAt)!)
            .ToFrozenDictionary(model => model.Name, StringComparer.Ordinal));

    public ServedModel? Find(string name) => _models.GetValueOrDefault(name);
}
