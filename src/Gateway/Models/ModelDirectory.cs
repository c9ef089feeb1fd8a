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
            ? (null, NotReady())
            : (null, ApiError.Invalid(Explain(name, catalog, resolution.Suggestion), "model", "model_not_found", StatusCodes.Status404NotFound));
    }

    /// <summary>For requests that may leave the name out: the served model, where there is one only.</summary>
    public (ServedModel? Model, ApiError? Error) ResolveOnly() => Models switch
    {
        [var model] => (model, null),
        [] => (null, NotReady()),
        _ => (null, ApiError.Invalid("'model' is missing: several models are served here, so name one of those that GET /v1/models lists.", "model")),
    };

    private static ApiError NotReady() =>
        ApiError.Unavailable("No model is served yet: the workers are still starting. GET /ready tells when.", retryAfterSeconds: 2);

    private static string Explain(string name, ModelCatalog catalog, string? suggestion)
    {
        var names = string.Join(", ", catalog.Models.Take(NamesListedMax).Select(model => model.Name));
        var more = catalog.Models.Count > NamesListedMax ? $" and {catalog.Models.Count - NamesListedMax} more" : "";
        var meant = suggestion is null ? "" : $" Did you mean '{suggestion}'?";
        return $"The model '{name}' is not served here.{meant} Served: {names}{more}.";
    }
}
