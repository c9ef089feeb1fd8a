using Serving.Contracts.Internal;
using Serving.Worker.Completions;

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

        // Once: while a worker stops, the set empties.
        IReadOnlyList<ModelRuntime> served = models.Models;
        return (null, served.Count == 0 ? RequestErrors.NotReady() : RequestErrors.UnknownModel(name, served.Select(other => other.Served.Name)));
    }
}
