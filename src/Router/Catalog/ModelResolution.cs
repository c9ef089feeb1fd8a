using Serving.Contracts.Cluster;

namespace Serving.Router.Catalog;

/// <summary>What a client's model name means.</summary>
/// <param name="Model">Null when nothing has this name.</param>
/// <param name="Suggestion">The nearest name or alias when nothing has this name and one is near enough to be meant.</param>
public readonly record struct ModelResolution(ServedModel? Model, string? Suggestion);
