using Serving.Storage.Objects;

namespace Serving.Storage.Documents;

/// <summary>Whose document of which kind is meant. There is no way from one tenant's key to another's document.</summary>
/// <param name="Tenant">Who owns it; empty where requests have no API key.</param>
/// <param name="Kind">The collection: <c>file</c>, <c>batch</c>.</param>
public readonly record struct DocumentKey(string Tenant, string Kind, string Id)
{
    /// <summary>Where the document's contents lie, if it has any.</summary>
    public ObjectKey Contents => ObjectKey.Of(Kind, SegmentOf(Tenant), Id);

    /// <summary>A tenant's name as a segment of an object's name, which cannot be empty.</summary>
    public static string SegmentOf(string tenant) => tenant.Length == 0 ? "local" : tenant;
}
