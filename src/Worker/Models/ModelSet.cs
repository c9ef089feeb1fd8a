using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;
using Serving.Worker.Completions;
using Serving.Worker.Embeddings;

namespace Serving.Worker.Models;

/// <summary>Looking for models.</summary>
internal static class ModelSet
{
    /// <summary>The model of a request, or why there is none.</summary>
    public static (ModelRuntime? Model, RequestError? Error) Find(this IModelSet models, string name)
    {
        if (models.TryGet(name, out ModelRuntime? model))
        {
            return (model, null);
        }

        return (null, NotFound(models, name));
    }

    /// <summary>What embeds for a request, or why there is nothing.</summary>
    public static (IEmbedder? Embedder, RequestError? Error) FindEmbedder(this IModelSet models, string name)
    {
        if (models.TryGet(name, out ModelRuntime? model))
        {
            return (new EngineEmbedder(model), null);
        }

        return models.Embedders.FirstOrDefault(embedder => embedder.Served.Name == name) is { } found ? (found, null) : (null, NotFound(models, name));
    }

    /// <summary>What the set serves, as the cluster is told.</summary>
    public static IReadOnlyList<ServedModel> Served(this IModelSet models) =>
        [.. models.Models.Select(model => model.Served), .. models.Embedders.Select(embedder => embedder.Served)];

    private static RequestError NotFound(IModelSet models, string name)
    {
        // Once: while a worker stops, the set empties.
        IReadOnlyList<ServedModel> served = models.Served();
        return served.Count == 0 ? RequestErrors.NotReady() : RequestErrors.UnknownModel(name, served.Select(other => other.Name));
    }
}
