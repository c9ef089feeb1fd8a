using System.Text.Json;

namespace Serving.Grammars.Json;

/// <summary>A schema and where it stands: <c>.properties.name</c>.</summary>
internal readonly record struct SchemaSource(JsonElement Schema, string Path)
{
    public SchemaSource Under(JsonElement schema, string step) => new(schema, $"{Path}.{step}");

    public SchemaSource Under(JsonElement schema, string step, int index) => new(schema, $"{Path}.{step}[{index}]");
}
