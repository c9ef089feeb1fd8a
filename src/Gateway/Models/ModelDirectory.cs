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

    /// <summary>The model of a request for text.</summary>
    public (ServedModel? Model, ApiError? Error) ResolveGenerative(string name) => Demand(
        Resolve(name), model => model.Kind == ModelKind.Generative, name, "embeds texts and does not write any: send it to POST /v1/embeddings");

    /// <summary>The model of a request for embeddings.</summary>
    public (ServedModel? Model, ApiError? Error) ResolveEmbedder(string name) => Demand(
        Resolve(name), model => model.EmbeddingWidth > 0, name, "gives no embeddings");

    /// <summary>For requests for text that may leave the name out: the model that writes, where there is one only.</summary>
    public (ServedModel? Model, ApiError? Error) ResolveOnlyGenerative() => ResolveOnly(ModelKind.Generative);

    /// <summary>For requests for embeddings that may leave the name out: the model that is made for them, or the only one at all.</summary>
    public (ServedModel? Model, ApiError? Error) ResolveOnlyEmbedder() =>
        ResolveOnly(Models.Any(model => model.Kind == ModelKind.Embedding) ? ModelKind.Embedding : ModelKind.Generative);

    private (ServedModel? Model, ApiError? Error) ResolveOnly(ModelKind kind) => Models.Where(model => model.Kind == kind).ToArray() switch
    {
        [var model] => (model, null),
        [] => (null, NotReady()),
        _ => (null, ApiError.Invalid("'model' is missing: several models are served here, so name one of those that GET /v1/models lists.", "model")),
    };

    private static (ServedModel? Model, ApiError? Error) Demand(
        (ServedModel? Model, ApiError? Error) resolved, Func<ServedModel, bool> fits, string name, string otherwise) =>
        resolved.Model is null || fits(resolved.Model) ? resolved : (null, ApiError.Invalid($"The model '{name}' {otherwise}.", "model", "unsupported_model"));

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
