using Microsoft.Extensions.Options;
using Serving.Contracts.Cluster;
using Serving.Gateway.Configuration;
using Serving.Gateway.Http;
using Serving.Gateway.Placement;
using Serving.Router.Catalog;

namespace Serving.Gateway.Models;

/// <summary>From a client's model name to the served model, with an error that helps when there is none.</summary>
internal sealed class ModelDirectory(KnownModels known, IOptions<GatewayOptions> options)
{
    /// <summary>An error lists no more names than a person reads.</summary>
    private const int NamesListedMax = 20;

    private readonly ModelResolver _resolver = new(options.Value.ModelAliases.AsReadOnly());

    public IReadOnlyList<ServedModel> Models => known.Current.Models;

    public (ServedModel? Model, ApiError? Error) Resolve(string name)
    {
        var catalog = known.Current;
        var resolution = _resolver.Resolve(catalog, name);
        if (resolution.Model is { } model)
        {
            return (model, null);
        }

        return catalog.Models.Count == 0
            ? (null, ApiError.Unavailable("No model is served yet: the workers are still starting. GET /ready tells when.", retryAfterSeconds: 2))
            : (null, ApiError.Invalid(Explain(name, catalog, resolution.Suggestion), "model", "model_not_found", StatusCodes.Status404NotFound));
    }

    private static string Explain(string name, ModelCatalog catalog, string? suggestion)
    {
        var names = string.Join(", ", catalog.Models.Take(NamesListedMax).Select(model => model.Name));
        var more = catalog.Models.Count > NamesListedMax ? $" and {catalog.Models.Count - NamesListedMax} more" : "";
        var meant = suggestion is null ? "" : $" Did you mean '{suggestion}'?";
        return $"The model '{name}' is not served here.{meant} Served: {names}{more}.";
    }
}
