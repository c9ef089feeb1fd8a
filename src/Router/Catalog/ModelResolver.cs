namespace Serving.Router.Catalog;

/// <summary>Resolves explicit names and aliases. Names are exact, capitals included; an alias hides a model of the same name.</summary>
/// <param name="aliases">Alias → served model's name.</param>
public sealed class ModelResolver(IReadOnlyDictionary<string, string> aliases)
{
    /// <summary>Longer names are never suggested for: the distance takes time by the product of both lengths.</summary>
    private const int SuggestedLengthMax = 128;

    public ModelResolution Resolve(ModelCatalog catalog, string name)
    {
        var target = aliases.GetValueOrDefault(name, name);
        return catalog.Find(target) is { } model ? new ModelResolution(model, null) : new ModelResolution(null, Suggest(catalog, name));
    }

    private string? Suggest(ModelCatalog catalog, string name)
    {
        if (name.Length is 0 or > SuggestedLengthMax)
        {
            return null;
        }

        string? nearest = null;
        var nearestDistance = int.MaxValue;
        var served = catalog.Models.Select(model => model.Name);
        var reachable = aliases.Where(alias => catalog.Find(alias.Value) is not null).Select(alias => alias.Key);
        foreach (var candidate in served.Concat(reachable).Where(candidate => candidate.Length <= SuggestedLengthMax))
        {
            var distance = NameDistance.Between(name.ToLowerInvariant(), candidate.ToLowerInvariant());
            if (distance < nearestDistance)
            {
                (nearest, nearestDistance) = (candidate, distance);
            }
        }

        // A third of the name mistyped is still the same name; more is another one. A beginning is a name that someone shortened.
        return nearestDistance <= Math.Max(2, name.Length / 3) ? nearest : StartingWith(catalog, name);
    }

    private static string? StartingWith(ModelCatalog catalog, string name) =>
        name.Length < 3
            ? null
            : catalog.Models.FirstOrDefault(model => model.Name.StartsWith(name, StringComparison.OrdinalIgnoreCase))?.Name;
}
